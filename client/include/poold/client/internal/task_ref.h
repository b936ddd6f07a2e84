// What is behind a TaskHandle<T>, without the type. Not for users; mocks make one with MakeFinishedTask.
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
#include "poold/v1/task.pb.h"

namespace poold::client::internal {

struct HandleState;
struct TaskHandleState;

// What a finished task left, as it lies in the cell: valid while the TaskRef lives.
struct ResultView {
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  std::string_view type_name;
  std::string_view data;
};

// The same, which `owner` keeps there: valid as long as it.
struct OwnedResult {
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  std::string type_name;
  std::string_view data;
  std::shared_ptr<const void> owner;
};

// Counts references to a cell. Copies are cheap. Thread-safe as an int.
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

  explicit operator bool() const { return cell_ != nullptr; }
  TaskHandleState* get() const { return cell_; }

  // Waits. OK: it has succeeded.
  absl::Status Await(Duration timeout) const;
  // REQUIRES: Await was OK. Shows `use` a result that lies in shared memory as it is there, which must do no more than
  // copy it. False: it does not, or it was gone meanwhile and what was copied is of no worth.
  bool WithShared(absl::FunctionRef<void(const ResultView&)> use) const;
  // REQUIRES: Await was OK. Brings the result from wherever it is. OK: result() holds it.
  absl::Status Bring() const;
  // REQUIRES: Bring was OK.
  ResultView result() const;
  // REQUIRES: Await was OK. The result where it lies, which may be memory that others can change.
  absl::StatusOr<OwnedResult> Own() const;
  bool Wait(Duration timeout) const;
  bool done() const;
  bool lost() const;
  TaskState state() const;
  // Asks the daemon, unless it has ended.
  absl::StatusOr<bool> Running() const;
  absl::StatusOr<bool> Successful() const;
  absl::StatusOr<bool> Cancel(bool running) const;
  void CancelSoon(bool running) const;
  std::optional<v1::Progress> Progress() const;
  void OnProgress(ProgressCallback callback) const;
  absl::StatusOr<v1::Outcome> Outcome() const;
  void OnDone(std::function<void(TaskRef)> callback) const;
  HandleId id() const;
  std::string ToString() const;
  void Keep() const;
  // "" where it is not known (resumed handles).
  std::string function() const;

  friend bool operator==(const TaskRef&, const TaskRef&) = default;

 private:
  void Drop();
  TaskHandleState* cell_ = nullptr;
};

// Arguments that cannot travel: a handle that was refused (TOO_LARGE).
TaskRef RefuseTooLong(std::string_view function, std::string_view why);

}  // namespace poold::client::internal
