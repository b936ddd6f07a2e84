// Tasks that report progress, or handle faults, in uncommon ways.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "poold/worker.h"

namespace {

using poold::worker::ReportProgress;

void report_then_sleep(const std::string& text) {
  ReportProgress(-1, text);
  std::this_thread::sleep_for(std::chrono::minutes(5));
}
POOLD_TASK(report_then_sleep);

void report_all(const std::vector<double>& fractions) {
  for (const double fraction : fractions) ReportProgress(fraction);
}
POOLD_TASK(report_all);

void report_from_threads(std::uint32_t count) {
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < count; ++i) {
    threads.emplace_back([] {
      for (int step = 0; step < 1000; ++step) ReportProgress(step % 2, "from a thread");
    });
  }
  for (std::thread& thread : threads) thread.join();
}
POOLD_TASK(report_from_threads);

std::atomic<std::uint64_t> reports_of_straggler;

void leave_straggler() {
  std::thread([] {
    while (true) {
      ReportProgress(0.5, "of whom?");
      ++reports_of_straggler;
    }
  }).detach();
}
POOLD_TASK(leave_straggler);
POOLD_TASK("straggled", [] { return reports_of_straggler.load(); });

// The exit code or signal of a child that does this.
template <typename Do>
int EndOfChild(Do&& act) {
  const pid_t child = fork();
  if (child == 0) {
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

int report_from_child() {
  return EndOfChild([] { ReportProgress(1, "the child"); });
}
POOLD_TASK(report_from_child);

int crashing_child(int signal_number) {
  return EndOfChild([&] { raise(signal_number); });
}
POOLD_TASK(crashing_child);

int own_code = 0;

void own_handler(int signal_number, int code) {
  own_code = code;
  signal(signal_number, [](int) { _exit(own_code); });
  raise(signal_number);
}
POOLD_TASK(own_handler);

}  // namespace
