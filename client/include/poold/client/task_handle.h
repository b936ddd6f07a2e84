// TaskHandle<T>: the result of one task.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "poold/client/codec.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/options.h"

namespace poold::client {

// The client's reference to one task, whose function returns a T. T is any value of codec.h, a protobuf message,
// poold::Bytes, SharedBytes (not copied), Payload (undecoded) or void.
//
// Purpose: wait for the result, look at the outcome, cancel the task, set callbacks, write the handle down.
// Performance: a handle is one pointer; copying is an atomic increment. A thread that waits reads the connection
//   itself, so that a result comes without a hop. A large result stays in the daemon until Get brings it.
// Ownership: copies share the task. When the last copy is destroyed, the daemon may drop the outcome (the client says
//   so in batches), unless ToString or Keep was called. An unfinished task without handles runs on and is released when
//   it ends. While the daemon is short of room for outcomes (max_kept_outcome_bytes), it may drop an outcome as soon as
//   this client has the outcome, unless ToString or Keep was called before: this handle still has it, for others it is
//   NOT_FOUND.
// Thread safety: as an int: different copies in different threads are fine.
// Errors: Get tells these apart: a value; how the task ended otherwise (TASK_... reasons of status.h, with the
//   function's name, the type and the message); DEADLINE_EXCEEDED (WAIT_TIMEOUT) when the task is not finished (nothing
//   is consumed, ask again); UNAVAILABLE (HANDLE_LOST) or the daemon's refusal (QUEUE_FULL, FUNCTION_NOT_FOUND, ...);
//   and FAILED_PRECONDITION where this thread must not wait: in an output callback, in a forked child (FORKED), in a
//   task that would wait for itself (WOULD_DEADLOCK).
// Example:
//   TaskHandle<int> handle = pool.Submit<int>("square", 7);
//   absl::StatusOr<int> result = handle.Get(std::chrono::seconds(5));
//   if (!result.ok() && ReasonOf(result.status()) == "TASK_CRASHED") ...
template <typename T>
class TaskHandle {
 public:
  // Refers to no task: done() is true, Get answers FAILED_PRECONDITION.
  TaskHandle() = default;
  // Wraps a reference, for Connection and mocks.
  explicit TaskHandle(internal::TaskRef task) : task_(std::move(task)) {}

  // Returns the result: absl::StatusOr<T>, or absl::Status for void. Blocks for at most `timeout`, and then for the
  // time that a large result takes to arrive. Repeating is safe and gives the same result.
  // Answers: as the class comment says; also INVALID_ARGUMENT (RESULT_TYPE: the result is not a T).
  // Example:
  //   absl::StatusOr<int> result = handle.Get(std::chrono::seconds(5));
  //   if (result.ok()) std::printf("%d\n", *result);
  Result<T> Get(Duration timeout = kForever) const {
    absl::Status status = task_.Await(timeout);
    if (!status.ok()) return status;
    const auto name = [this] { return task_.function(); };
    if constexpr (std::is_same_v<T, SharedBytes>) {
      absl::StatusOr<internal::OwnedResult> owned = task_.Own();
      if (!owned.ok()) return owned.status();
      return internal::DecodeOwned(name, *std::move(owned));
    }
    if constexpr (internal::kIsBytes<T> || std::is_same_v<T, Payload>) {
      std::optional<Result<T>> copied;
      if (task_.WithShared(
              [&](const internal::ResultView& result) { copied.emplace(internal::DecodeResult<T>(name, result)); })) {
        return *std::move(copied);
      }
    }
    status = task_.Bring();
    if (!status.ok()) return status;
    return internal::DecodeResult<T>(name, task_.result());
  }
  // As Get, without the result. OK: the task SUCCEEDED.
  absl::Status Await(Duration timeout = kForever) const { return task_.Await(timeout); }
  // Blocks for at most `timeout`. True: the task has ended, in whatever way. In an output callback and in a forked
  // child Wait returns at once.
  bool Wait(Duration timeout = kForever) const { return task_.Wait(timeout); }
  // Whether the task has ended, was refused, or is lost. Does not ask the daemon.
  bool done() const { return task_.done(); }
  // The state as far as this client knows it: QUEUED until the end is known, UNSPECIFIED for a handle that was refused
  // or is lost.
  TaskState state() const { return task_.state(); }
  // Whether the daemon was restarted and does not know the task.
  bool lost() const { return task_.lost(); }
  // Whether the task ended CANCELLED.
  bool cancelled() const { return state() == TaskState::kCancelled; }
  // Asks the daemon whether the task was sent to a worker and has not ended. The answer is a snapshot. Blocks for a
  // flush and one call; repeating is safe. NOT_FOUND (HANDLE_NOT_FOUND, HANDLE_RELEASED).
  absl::StatusOr<bool> Running() const { return task_.Running(); }
  // Whether the task SUCCEEDED. Does not block. FAILED_PRECONDITION (NOT_READY): the task has not ended.
  absl::StatusOr<bool> Successful() const { return task_.Successful(); }
  // Cancels a task that waits, as Future.cancel, and with `running` also stops a task that runs (SIGTERM, the pool's
  // stop_grace, SIGKILL). True: the task is, or will be, CANCELLED. False: the task runs, or has ended otherwise.
  // Blocks for a flush and one call, not for the end of the task. Repeating is safe. NOT_FOUND (HANDLE_NOT_FOUND,
  // HANDLE_RELEASED); DEADLINE_EXCEEDED (WAIT_TIMEOUT: the flush was not over in time).
  // Example:
  //   absl::StatusOr<bool> cancelled = handle.Cancel(/*running=*/true);
  //   if (cancelled.ok() && *cancelled) handle.Wait();
  absl::StatusOr<bool> Cancel(bool running = false) const { return task_.Cancel(running); }
  // As Cancel, asked for on the stream behind everything that was submitted, without an answer: the outcome tells. Does
  // not block. For many handles, and for output callbacks.
  void CancelSoon(bool running = true) const { task_.CancelSoon(running); }
  // The latest progress that the task reported. Nothing: no report has come, or TaskOptions did not ask for progress.
  // Does not ask the daemon.
  std::optional<Progress> progress() const { return task_.Progress(); }
  // Calls `callback` with every report from now on, as TaskOptions::on_progress. Has no effect on a task that has
  // ended. REQUIRES: TaskOptions::watch_progress or TaskOptions::on_progress.
  void OnProgress(ProgressCallback callback) const { task_.OnProgress(std::move(callback)); }
  // Returns everything that is known of the end: death certificate, tails of the output, attempts, times. A compact
  // success has only state and result (Client::Explain tells times and attempts). Does not block. The status is never
  // how the task ended, but DEADLINE_EXCEEDED (WAIT_TIMEOUT: not finished), the daemon's refusal, or UNAVAILABLE
  // (HANDLE_LOST).
  // Example:
  //   auto outcome = handle.outcome();
  //   if (outcome.ok() && outcome->death) Report(outcome->death->signal);
  absl::StatusOr<Outcome> outcome() const { return task_.Outcome(); }
  // Calls `callback` exactly once when the task has ended, also when it has ended already, on the client's callback
  // thread and without a lock held. Callbacks of several handles run in the order in which the handles ended, those of
  // one handle in the order in which they were added. A callback may wait for other handles. What a callback throws is
  // printed to stderr and has no other effect. When the last handle and the Client are destroyed, callbacks of
  // unfinished tasks are dropped.
  // Example:
  //   pool.Submit<int>("square", 7).OnDone([](const TaskHandle<int>& handle) { Use(handle.Get()); });
  void OnDone(std::function<void(const TaskHandle&)> callback) const {
    task_.OnDone([callback = std::move(callback)](internal::TaskRef task) { callback(TaskHandle(std::move(task))); });
  }
  // As apply_async(callback): calls `callback` with the value (without an argument for void) when Get gives one.
  // Threads and order as OnDone.
  template <typename Callback>
  void OnValue(Callback callback) const {
    OnDone([callback = std::move(callback)](const TaskHandle& handle) {
      auto result = handle.Get();
      if (!result.ok()) return;
      if constexpr (std::is_void_v<T>) {
        callback();
      } else {
        callback(*result);
      }
    });
  }
  // As apply_async(error_callback): calls `callback` with the status of Get when Get gives no value. Threads and order
  // as OnDone.
  void OnError(std::function<void(const absl::Status&)> callback) const {
    OnDone([callback = std::move(callback)](const TaskHandle& handle) {
      const Result<T> result = handle.Get();
      const absl::Status& status = internal::StatusOf(result);
      if (!status.ok()) callback(status);
    });
  }
  // The task's id; all zeros for a handle of no task.
  HandleId id() const { return task_.id(); }
  // Returns a text that Client::Resume takes in any process, "" for a handle of no task. Other processes get NOT_FOUND
  // until this client has sent the task: call Client::Flush. From now on the daemon keeps the outcome when this handle
  // is destroyed.
  std::string ToString() const { return task_.ToString(); }
  // From now on the daemon keeps the outcome when this handle is destroyed. Repeating is safe.
  void Keep() const { task_.Keep(); }
  // For wait.h.
  const internal::TaskRef& ref() const { return task_; }

 private:
  internal::TaskRef task_;
};

}  // namespace poold::client
