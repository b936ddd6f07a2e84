// TaskRef: the part of a TaskHandle<T> that does not depend on the type. Not for users; mocks make one with
// MakeFinishedTask.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client/options.h"
#include "poold/client/outcome.h"
#include "poold/client/payload.h"

namespace poold::client::internal {

struct HandleState;
struct TaskHandleState;

// The result of a finished task inside the task's state. Valid while the TaskRef lives.
struct ResultView {
  Encoding encoding = Encoding::kUnspecified;
  // The message's full name with kProtobuf.
  std::string_view type_name;
  std::string_view data;
};

// A result whose bytes are valid as long as `owner` lives.
struct OwnedResult {
  Encoding encoding = Encoding::kUnspecified;
  std::string type_name;
  std::string_view data;
  std::shared_ptr<const void> owner;
};

// A counted reference to a task's state. Copies are cheap. Thread-safe as an int.
class TaskRef {
 public:
  TaskRef() = default;
  // Takes over one reference.
  explicit TaskRef(TaskHandleState* adopted) : cell_(adopted) {}
  TaskRef(const TaskRef& other);
  TaskRef(TaskRef&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  TaskRef& operator=(TaskRef other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~TaskRef() {
    if (cell_ != nullptr) Drop();
  }

  // Whether this refers to a task.
  explicit operator bool() const { return cell_ != nullptr; }
  TaskHandleState* get() const { return cell_; }

  // Blocks for at most `timeout`. OK: the task SUCCEEDED. Errors as TaskHandle::Get, but RESULT_TYPE.
  absl::Status Await(Duration timeout) const;
  // Calls `use` with a result that lies in shared memory; `use` must only copy the result. False: the result lies
  // elsewhere, or its memory was used again meanwhile: discard the copy. REQUIRES: Await was OK.
  bool WithShared(absl::FunctionRef<void(const ResultView&)> use) const;
  // Brings the result into this process; blocks meanwhile. OK: result() has it. REQUIRES: Await was OK.
  absl::Status Bring() const;
  // The result. REQUIRES: Bring was OK.
  ResultView result() const;
  // Returns the result without a copy where possible. Other processes may be able to change the bytes. REQUIRES: Await
  // was OK.
  absl::StatusOr<OwnedResult> Own() const;
  // The methods below are those of TaskHandle.
  bool Wait(Duration timeout) const;
  bool done() const;
  bool lost() const;
  TaskState state() const;
  // Asks the daemon, unless the task has ended.
  absl::StatusOr<bool> Running() const;
  absl::StatusOr<bool> Successful() const;
  absl::StatusOr<bool> Cancel(bool running) const;
  void CancelSoon(bool running) const;
  std::optional<client::Progress> Progress() const;
  void OnProgress(ProgressCallback callback) const;
  absl::StatusOr<client::Outcome> Outcome() const;
  void OnDone(std::function<void(TaskRef)> callback) const;
  HandleId id() const;
  std::string ToString() const;
  void Keep() const;
  // The function's name, or "task " and the id where the name is not known (resumed handles).
  std::string function() const;

  friend bool operator==(const TaskRef&, const TaskRef&) = default;

 private:
  void Drop();
  TaskHandleState* cell_ = nullptr;
};

// A handle of arguments that cannot travel: INVALID_ARGUMENT (TOO_LARGE).
TaskRef RefuseTooLong(std::string_view function, std::string_view why);

}  // namespace poold::client::internal
