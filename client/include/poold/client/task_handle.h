// TaskHandle<T>: the result that is to come.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "poold/client/codec.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/options.h"

namespace poold::client {

// The client's reference to one task, whose function returns a T. T may be any value of codec.h, a protobuf message,
// poold::Bytes, SharedBytes (where they lie), Payload (undecoded) or void.
//
// Purpose: wait for the result, look at the outcome, cancel, be told, write the handle down.
// Performance: one pointer. Copying is an atomic increment. A thread that waits reads the connection itself, so that a
//   result comes without a hop. When the last copy goes, the daemon may drop the outcome (told in batches), unless
//   ToString was called. A large result stays in the daemon meanwhile, and each Get brings it. An unfinished task whose
//   handles are all gone runs on, and is released when it ends. While the daemon is short of room for outcomes
//   (max_kept_outcome_bytes) it may drop one as soon as it is here, unless ToString was called before: this handle
//   keeps it, for others it is NOT_FOUND.
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
  // As Get, without the result: OK when it SUCCEEDED.
  absl::Status Await(Duration timeout = kForever) const { return task_.Await(timeout); }
  // True: it is done.
  bool Wait(Duration timeout = kForever) const { return task_.Wait(timeout); }
  bool done() const { return task_.done(); }
  // QUEUED until something else is known, UNSPECIFIED for a handle that was refused or is lost.
  TaskState state() const { return task_.state(); }
  // The daemon was restarted and does not know it.
  bool lost() const { return task_.lost(); }
  bool cancelled() const { return state() == v1::TASK_STATE_CANCELLED; }
  // Asks the daemon: sent to a worker, and not ended. A snapshot.
  absl::StatusOr<bool> Running() const { return task_.Running(); }
  // Once it is done: whether it SUCCEEDED. Before that NOT_READY.
  absl::StatusOr<bool> Successful() const { return task_.Successful(); }
  // True: it is, or will be, CANCELLED. As Future.cancel, only what still waits; what runs is stopped with `running`
  // (SIGTERM, the pool's stop_grace, SIGKILL). Asks the daemon.
  absl::StatusOr<bool> Cancel(bool running = false) const { return task_.Cancel(running); }
  // Asks for it on the stream, behind what was submitted, and does not wait: the outcome tells what it came to. For
  // many handles, and for callbacks of output.
  void CancelSoon(bool running = true) const { task_.CancelSoon(running); }
  // The latest that the task reported, where TaskOptions asked for its progress and it did.
  std::optional<v1::Progress> progress() const { return task_.Progress(); }
  // Calls with everything that it reports from now on, as TaskOptions::on_progress. REQUIRES: TaskOptions::
  // watch_progress.
  void OnProgress(ProgressCallback callback) const { task_.OnProgress(std::move(callback)); }
  // Everything that is known of its end, once it is done: death certificate, tails of its output, attempts, times. Of a
  // plain success only state and result: nothing else of it travels (Client::Explain tells times and attempts). The
  // status is the daemon's refusal, HANDLE_LOST, or WAIT_TIMEOUT, never how the task ended.
  absl::StatusOr<v1::Outcome> outcome() const { return task_.Outcome(); }
  // Calls once it is done, exactly once, also when it is already, on the client's callback thread: in the order in
  // which handles ended, those of one handle in the order in which they were added, without a lock held. What it throws
  // is printed to stderr and harms nobody. May wait for other handles. When the last handle and the Client go,
  // callbacks of tasks that are not done are dropped.
  void OnDone(std::function<void(const TaskHandle&)> callback) const {
    task_.OnDone([callback = std::move(callback)](internal::TaskRef task) { callback(TaskHandle(std::move(task))); });
  }
  // As apply_async(callback, error_callback): one of the two, with the value (without an argument for void) or with the
  // status of Get.
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
  void OnError(std::function<void(const absl::Status&)> callback) const {
    OnDone([callback = std::move(callback)](const TaskHandle& handle) {
      const Result<T> result = handle.Get();
      const absl::Status& status = internal::StatusOf(result);
      if (!status.ok()) callback(status);
    });
  }
  HandleId id() const { return task_.id(); }
  // Names the task for Client::Resume, in any process: there it is NOT_FOUND until this client has sent it, as
  // Client::Flush makes sure. From now on the outcome is kept when this handle goes.
  std::string ToString() const { return task_.ToString(); }
  // From now on the outcome is kept when this handle goes.
  void Keep() const { task_.Keep(); }
  const internal::TaskRef& ref() const { return task_; }

 private:
  internal::TaskRef task_;
};

}  // namespace poold::client
