// What the system tests want of a worker beside the module `testing`.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "poold/worker.h"

namespace {

pid_t prepared = 0;

// As preload: remembers which process it ran in.
void prepare() { prepared = getpid(); }
std::int64_t prepared_pid() { return prepared; }

// As preload: does not come to an end while the file that $HOLD names is there.
void hold() {
  const char* const path = std::getenv("HOLD");
  while (path != nullptr && access(path, F_OK) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

void wait_for_ever() { std::this_thread::sleep_for(std::chrono::hours(1)); }

// As preload: its clones would deadlock.
void leave_thread() {
  std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
}

void Append(const std::string& path, const std::string& line) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot open " + path);
  const std::string text = line + "\n";
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  if (!written) throw std::runtime_error("cannot write " + path);
}

// Writes its number, unless it is the bad one: then it dies.
void append_or_crash(std::int64_t number, const std::string& path, std::int64_t bad) {
  if (number == bad) raise(SIGKILL);
  Append(path, std::to_string(number));
}

void append_and_fail(const std::string& path, const std::string& line) {
  Append(path, line);
  throw std::runtime_error("append_and_fail did as asked");
}

void print_error(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

void print_and_crash(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  raise(SIGKILL);
}

void complain_and_abort(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  abort();
}

void wait_for(const std::string& path) {
  while (access(path.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

// Prints and is slow in a manner that the test decides: it waits until the path is there.
void print_and_wait_for(const std::string& text, const std::string& path) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  wait_for(path);
}

// Tells that it has begun by making one file, and goes on when another one is there.
void begin_and_wait(const std::string& begun, const std::string& go_on) {
  Append(begun, "begun");
  wait_for(go_on);
}

// Dies unless the path is there: what a test can mend while the pool runs.
void crash_unless(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) _exit(9);
}

// Takes memory that its worker never gives back, and waits as begin_and_wait does.
void grow_and_wait(std::uint64_t bytes, const std::string& begun, const std::string& go_on) {
  static std::vector<std::vector<char>> kept;
  kept.emplace_back(bytes, 'x');
  begin_and_wait(begun, go_on);
}

std::string heard_path;
bool heard_ends = false;

void Hear(int) {
  const int fd = open(heard_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (write(fd, "SIGTERM\n", 8) != 8 || heard_ends) _exit(7);
}

// Tells of each SIGTERM in a file; ends with the first one or not at all.
void hear_term(const std::string& begun, const std::string& heard, bool ends) {
  heard_path = heard;
  heard_ends = ends;
  std::signal(SIGTERM, Hear);
  begin_and_wait(begun, "/does/not/come");
}

void report_and_wait(double fraction, const std::string& text, const std::string& go_on) {
  poold::worker::ReportProgress(fraction, text);
  print_and_wait_for("reported", go_on);
}

}  // namespace

POOLD_TASK(prepare);
POOLD_TASK(prepared_pid);
POOLD_TASK(leave_thread);
POOLD_TASK(hold);
POOLD_TASK(wait_for_ever);
POOLD_TASK(append_or_crash);
POOLD_TASK(append_and_fail);
POOLD_TASK(print_error);
POOLD_TASK(print_and_crash);
POOLD_TASK(complain_and_abort);
POOLD_TASK(print_and_wait_for);
POOLD_TASK(begin_and_wait);
POOLD_TASK(crash_unless);
POOLD_TASK(grow_and_wait);
POOLD_TASK(hear_term);
POOLD_TASK(report_and_wait);
