// Outcome: how a task ended, and what a task says while it runs. Plain values; every enumerator has the number of the
// contract's (poold/v1/task.proto, which also draws the life of a task).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "poold/client/duration.h"
#include "poold/client/handle_id.h"
#include "poold/client/payload.h"

namespace poold::client {

// Where a task stands. The states from kSucceeded on are ends; each task has exactly one.
enum class TaskState {
  // Not known: the handle was refused, is lost, or the state is of a newer daemon.
  kUnspecified = 0,
  // Waits for a worker, for its start time, or for the pause before another attempt.
  kQueued = 1,
  // Was sent to a worker.
  kRunning = 2,
  // The function returned: Outcome::result.
  kSucceeded = 3,
  // The function threw or returned an error, or its arguments did not decode: Outcome::failure.
  kFailed = 4,
  // The worker died while the task ran: Outcome::death.
  kCrashed = 5,
  // run_timeout or total_timeout passed: Outcome::death where the task ran, otherwise Outcome::failure.
  kTimedOut = 6,
  // queue_timeout or total_timeout passed before the task started.
  kExpired = 7,
  // Cancelled by a client, by Terminate, or because the pool failed: Outcome::failure says which.
  kCancelled = 8,
};

// The cause of a worker's end.
enum class KilledBy {
  kUnspecified = 0,
  // The worker called exit, or raised a signal by a fault of its own (SIGSEGV, SIGABRT, ...).
  kItself = 1,
  // The daemon, because run_timeout or total_timeout passed.
  kTimeLimit = 2,
  // The daemon, because the running task was cancelled.
  kCancel = 3,
  // The daemon, because the pool was terminated.
  kTerminate = 4,
  // A signal from outside: of an operator, or of a kernel that was out of memory and does not tell.
  kOutsider = 5,
  // The daemon, because the worker went above the pool's memory_limit_bytes.
  kMemoryLimit = 6,
  // The kernel: out of memory, or a resource limit was reached (SIGXCPU, SIGXFSZ).
  kKernel = 7,
};

// One of the two streams that a task writes to.
enum class OutputStream {
  kUnspecified = 0,
  kStdout = 1,
  kStderr = 2,
};

// The contract's word without its prefix: "TIMED_OUT", "MEMORY_LIMIT", "STDERR". "UNKNOWN": the number of a newer
// daemon.
std::string_view ToString(TaskState state);
std::string_view ToString(KilledBy by);
std::string_view ToString(OutputStream stream);

// Why a function failed, in terms of the function's own language.
struct Failure {
  // The type of what was thrown ("std::runtime_error"), "absl::Status" for a returned error, or one of poold's:
  // "poold.ArgumentError", "poold.UnknownFunction", "poold.ResultError", "poold.Cancelled", "poold.Expired",
  // "poold.TimedOut".
  std::string type = {};
  // The text of the exception or status; at most 64 KiB, and how much more there was.
  std::string message = {};
  // The place where it was thrown, one frame a line, the outermost frame last. Empty: the language gives none.
  std::string backtrace = {};
  // The canonical code of a returned or thrown status; otherwise 0.
  std::int32_t status_code = 0;

  friend bool operator==(const Failure&, const Failure&) = default;
};

// Everything that is known of the end of a worker process.
struct DeathCertificate {
  // The signal that ended the process; 0: it exited.
  std::int32_t signal = 0;
  // The exit code, where the process exited.
  std::int32_t exit_code = 0;
  KilledBy killed_by = KilledBy::kUnspecified;
  // The process, as the daemon saw it.
  std::int64_t pid = 0;
  // The start of the pool's prepared state that the process was cloned from, counted from 1.
  std::uint32_t generation = 0;
  // The largest resident memory of the process.
  std::uint64_t peak_rss_bytes = 0;
  // Processor time of the process from its start to its end.
  Duration cpu_time = {};
  // The time from its start to its end.
  Duration wall_time = {};
  // The place of a fault of its own, as Failure::backtrace. Empty: the worker could not tell.
  std::string backtrace = {};
  // The worker, as PoolInfo names it.
  std::uint64_t worker_id = 0;

  friend bool operator==(const DeathCertificate&, const DeathCertificate&) = default;
};

// How a task ended.
struct Outcome {
  // One of the ends.
  TaskState state = TaskState::kUnspecified;
  // Set with kSucceeded. A large result has no `data` here.
  std::optional<Payload> result = {};
  // Set with kFailed, kExpired and kCancelled, and with kTimedOut between two attempts.
  std::optional<Failure> failure = {};
  // Set with kCrashed, and with kTimedOut and kCancelled where a worker was killed for that.
  std::optional<DeathCertificate> death = {};
  // The attempt that brought this outcome, counted from 1; 0: the task never started.
  std::uint32_t attempt = 0;
  // The end of what the task wrote, at most ServerLimits::output_tail_bytes of each stream.
  std::string stdout_tail = {};
  std::string stderr_tail = {};
  // So many workers died under the task that it is not tried again.
  bool poison = false;
  // Unset: not known (a compact success, or a client's own refusal). `started_at`: also where the task never started.
  std::optional<WallTime> submitted_at = {};
  std::optional<WallTime> started_at = {};
  std::optional<WallTime> ended_at = {};

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// A piece of text that a task wrote.
struct Output {
  // The task or map that wrote the text.
  HandleId id = {};
  OutputStream stream = OutputStream::kStdout;
  // The text, as it was written: bytes of any kind.
  std::string text = {};

  friend bool operator==(const Output&, const Output&) = default;
};

// Called with each piece in order, all pieces of a task before its outcome is visible, on the thread that reads the
// stream at the moment. The callback must be quick and must not wait for handles: TaskHandle::Get answers
// FAILED_PRECONDITION there, and a wait for a map WAIT_TIMEOUT, at once.
using OutputCallback = std::function<void(const Output&)>;

// A report of a running task about its own progress.
struct Progress {
  // The task or map that reports.
  HandleId id = {};
  // The item that reports; 0 for a task.
  std::uint64_t index = 0;
  // The part that is done, from 0 to 1; negative: the task cannot tell.
  double fraction = -1;
  // A line for people.
  std::string text = {};

  friend bool operator==(const Progress&, const Progress&) = default;
};

// Called as an OutputCallback. Only the latest report of each task is certain to come.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace poold::client
