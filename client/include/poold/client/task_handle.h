// TaskHandle<T>: the result that is to come.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "poold/client/codec.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/options.h"

namespace poold::client {

// The client's reference to one task, whose function returns a T. T may be any value of codec.h, a protobuf message,
// poold::Bytes, Payload (undecoded) or void.
//
// Purpose: wait for the result, look at the outcome, cancel, be told, write the handle down.
// Performance: one pointer. Copying is an atomic increment. A thread that waits reads the connection itself, so that a
//   result comes without a hop. When the last copy goes, the daemon may drop the outcome (told in batches), unless
//   ToString was called. An unfinished task whose handles are all gone runs on, and is released when it ends.
// Thread safety: as an int: different copies in different threads are fine.
// Errors: Get tells four things apart. A value; how the task ended instead (TASK_... reasons of status.h, the message
//   names the function, the type and what was said); DEADLINE_EXCEEDED with reason WAIT_TIMEOUT when it is not finished
//   yet (nothing is consumed, ask again); HANDLE_LOST or the daemon's refusal (QUEUE_FULL, FUNCTION_NOT_FOUND, ...).
// Example:
//   TaskHandle<int> handle = pool.Submit<int>("square", 7);
//   absl::StatusOr<int> result = handle.Get(std::chrono::seconds(5));
//   if (!result.ok() && ReasonOf(result.status()) == "TASK_CRASHED") ...
template <typename T>
class TaskHandle {
 public:
  // Refers to nothing: Get answers FAILED_PRECONDITION.
  TaskHandle() = default;
  explicit TaskHandle(internal::TaskRef task) : task_(std::move(task)) {}

  // absl::StatusOr<T>, or absl::Status for void.
  Result<T> Get(Duration timeout = kForever) const {
    absl::Status fetched = task_.Fetch(timeout);
    if (!fetched.ok()) return fetched;
    return internal::DecodeResult<T>([this] { return task_.function(); }, task_.result());
  }
  // True: it is done.
  bool Wait(Duration timeout = kForever) const { return task_.Wait(timeout); }
  bool done() const { return task_.done(); }
  // QUEUED until something else is known, UNSPECIFIED for a handle that was refused or is lost.
  TaskState state() const { return task_.state(); }
  // The daemon was restarted and does not know it.
  bool lost() const { return task_.lost(); }
  // True: it is, or will be, CANCELLED. What runs is stopped only with `running`.
  absl::StatusOr<bool> Cancel(bool running = false) const { return task_.Cancel(running); }
  // Everything that is known of its end, once it is done: death certificate, tails of its output, attempts, times. The
  // status is the daemon's refusal, HANDLE_LOST, or WAIT_TIMEOUT, never how the task ended.
  absl::StatusOr<v1::Outcome> outcome() const { return task_.Outcome(); }
  // Calls once it is done, also when it is already, on the client's callback thread: in the order in which handles
  // ended, without a lock held. What it throws is logged. May wait for other handles.
  void OnDone(std::function<void(const TaskHandle&)> callback) const {
    task_.OnDone([callback = std::move(callback)](internal::TaskRef task) { callback(TaskHandle(std::move(task))); });
  }
  HandleId id() const { return task_.id(); }
  // Names the task for Client::Resume, in any process. From now on the outcome is kept when this handle goes.
  std::string ToString() const { return task_.ToString(); }
  // From now on the outcome is kept when this handle goes.
  void Keep() const { task_.Keep(); }
  const internal::TaskRef& ref() const { return task_; }

 private:
  internal::TaskRef task_;
};

}  // namespace poold::client
