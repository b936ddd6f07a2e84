// What a queued task costs: memory and time, from a thousand to ten million, and how fast they all end.
//
//   queue_bench [MOST_TASKS]
//
// The core alone, with ports that do nothing: the daemon adds the socket and the messages. Compare rows with each
// other; the figures of a shared machine mean little.
#include <malloc.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "bare_core.h"

namespace poold::core {
namespace {

constexpr std::uint64_t kBatch = 4096;
constexpr std::uint64_t kArgsBytes = testing::BareCore::kArgsBytes;
constexpr Nanos kElapsed = 100'000;

std::uint64_t HeapBytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Of processor time: others use this machine, too.
class Stopwatch {
 public:
  double Seconds() const { return Now() - start_; }

 private:
  static double Now() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }
  const double start_ = Now();
};

// A core under load.
struct Daemon : testing::BareCore {
  void SubmitAll(std::uint64_t most) {
    for (std::uint64_t first = 0; first < most; first += kBatch, ++now) Submit(first, std::min(kBatch, most - first));
  }
  void SubmitMap(std::uint64_t most) {
    for (std::uint64_t first = 0; first < most; first += kBatch) AddItems(first, std::min(kBatch, most - first), false);
  }
  // Each worker answers, one after the other, and the outcome is released.
  void Run(std::uint64_t most) {
    std::size_t next = 0;
    for (std::uint64_t i = 0; i < most && next < workers.sent.size(); ++i) {
      const testing::Sent work = workers.sent[next++];
      ++now;
      Answer(work, true, kElapsed);
      ReleaseEnded();
    }
  }
};

double PerTask(double total, std::uint64_t tasks) { return total / static_cast<double>(tasks); }

void MeasureTasks(std::uint64_t tasks) {
  Daemon daemon;
  const std::uint64_t before = HeapBytes();
  const Stopwatch submitting;
  daemon.SubmitAll(tasks);
  const double submit = submitting.Seconds();
  const std::uint64_t bytes = HeapBytes() - before;
  const std::uint64_t run_tasks = std::min<std::uint64_t>(tasks / 2, 200'000);
  const Stopwatch running;
  daemon.Run(run_tasks);
  const double run = running.Seconds();
  const Stopwatch ending;
  daemon.core.OnTerminate(daemon.now, SubscriberId{2}, "p");
  std::printf("tasks %9lu: %4.0f bytes, %4.0f ns to submit, %4.0f ns to run; terminated in %.3f s (%3.0f ns each)\n",
              tasks, PerTask(static_cast<double>(bytes), tasks) - kArgsBytes, PerTask(submit * 1e9, tasks),
              PerTask(run * 1e9, run_tasks), ending.Seconds(), PerTask(ending.Seconds() * 1e9, tasks));
}

void MeasureCancels(std::uint64_t tasks) {
  Daemon daemon;
  daemon.SubmitAll(tasks);
  const Stopwatch ending;
  for (std::uint64_t i = 0; i < tasks; ++i) {
    if (!daemon.core.OnCancel(daemon.now, {Daemon::kTaskIds, i}, false).ok()) std::abort();
  }
  std::printf("tasks %9lu: cancelled one by one in %.3f s (%3.0f ns each)\n", tasks, ending.Seconds(),
              PerTask(ending.Seconds() * 1e9, tasks));
}

void MeasureItems(std::uint64_t items) {
  Daemon daemon;
  const std::uint64_t before = HeapBytes();
  const Stopwatch submitting;
  daemon.SubmitMap(items);
  const double submit = submitting.Seconds();
  const std::uint64_t bytes = HeapBytes() - before;
  const Stopwatch ending;
  daemon.core.OnTerminate(daemon.now, SubscriberId{2}, "p");
  std::printf("items %9lu: %4.1f bytes, %4.0f ns to submit; terminated in %.3f s\n", items,
              PerTask(static_cast<double>(bytes), items) - kArgsBytes, PerTask(submit * 1e9, items), ending.Seconds());
}

}  // namespace
}  // namespace poold::core

int main(int argc, char** argv) {
  const std::uint64_t most = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  for (std::uint64_t tasks = 1000; tasks <= most; tasks *= 10) poold::core::MeasureTasks(tasks);
  poold::core::MeasureCancels(most);
  for (std::uint64_t items = 1000; items <= most; items *= 10) poold::core::MeasureItems(items);
}
