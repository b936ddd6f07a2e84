#include "poold/client/internal/task_ref.h"

#include <array>
#include <utility>

#include "convert.h"
#include "error.h"
#include "session/handle_state.h"

namespace poold::client::internal {
namespace {

absl::Status NoTask() { return absl::FailedPreconditionError("this TaskHandle refers to no task"); }

// Whether the result lies elsewhere. REQUIRES: phase is kEnded.
bool NeedsDownload(const TaskHandleState& cell) {
  const v1::Payload& result = cell.detail->outcome->result();
  return result.size_bytes() > result.data().size();
}

absl::Status BringResult(TaskHandleState& cell) {
  if (!cell.owner->here()) return ForkedError();
  {
    MutexLock lock(&cell.owner->mutex());
    if (cell.detail->downloaded) return absl::OkStatus();
  }
  auto bytes = cell.owner->Download(cell.id, 0, cell.detail->outcome->result());
  MutexLock lock(&cell.owner->mutex());
  // Meanwhile it may have been brought for want of room in the daemon, which has dropped it then.
  if (cell.detail->downloaded) return absl::OkStatus();
  if (!bytes.ok()) return bytes.status();
  cell.detail->downloaded = std::make_shared<const Downloaded>(*std::move(bytes));
  return absl::OkStatus();
}

Outcome CompactSuccess(const TaskHandleState& cell) {
  return {.state = TaskState::kSucceeded,
          .result = Payload{.encoding = cell.encoding,
                            .type_name = cell.type_name != nullptr ? *cell.type_name : "",
                            .data = cell.result,
                            .size_bytes = cell.result.size()}};
}

}  // namespace

TaskRef::TaskRef(const TaskRef& other) : cell_(other.cell_) {
  if (cell_ != nullptr) cell_->handles.fetch_add(1, std::memory_order_relaxed);
}

void TaskRef::Drop() {
  if (cell_->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // The cell may be gone before its owner has done its work: hold the owner from here.
  std::shared_ptr<HandleOwner> owner = std::move(cell_->owner);
  owner->Dropped(cell_);
}

absl::Status TaskRef::Await(Duration timeout) const {
  if (cell_ == nullptr) return NoTask();
  if (!cell_->done() && !cell_->owner->here()) return ForkedError();
  if (!cell_->done() && InOutputCallback()) {
    return absl::FailedPreconditionError("an on_output callback must not wait for a task: the outcome comes after it");
  }
  if (!cell_->done() && !Wait(timeout)) {
    absl::Status why = std::exchange(WhyNoWait(), absl::OkStatus());
    return why.ok() ? WaitTimeoutError(cell_->FunctionName()) : why;
  }
  switch (cell_->phase.published()) {
    case Phase::kSucceeded:
      return absl::OkStatus();
    case Phase::kEnded:
    case Phase::kNeverSent:
      return OutcomeStatus(cell_->FunctionName(), *cell_->detail->outcome);
    default:
      return cell_->detail->refusal;
  }
}

bool TaskRef::WithShared(absl::FunctionRef<void(const ResultView&)> use) const {
  if (cell_->phase.published() != Phase::kEnded || !NeedsDownload(*cell_)) return false;
  const v1::Payload& told = cell_->detail->outcome->result();
  const std::optional<ResultInArena> result = cell_->owner->InArena(told);
  if (!result) return false;
  use({FromProto(told.encoding()), told.type_name(), result->view()});
  return result->StillThere();
}

absl::Status TaskRef::Bring() const {
  if (cell_->phase.published() != Phase::kEnded || !NeedsDownload(*cell_)) return absl::OkStatus();
  return BringResult(*cell_);
}

ResultView TaskRef::result() const {
  if (cell_->phase.published() == Phase::kSucceeded) {
    return {cell_->encoding, cell_->type_name != nullptr ? *cell_->type_name : std::string_view(), cell_->result};
  }
  const v1::Payload& result = cell_->detail->outcome->result();
  if (const auto& downloaded = cell_->detail->downloaded) {
    return {FromProto(result.encoding()), result.type_name(), downloaded->view()};
  }
  return {FromProto(result.encoding()), result.type_name(), result.data()};
}

absl::StatusOr<OwnedResult> TaskRef::Own() const {
  if (cell_->phase.published() != Phase::kEnded || !NeedsDownload(*cell_)) return CopyOf(result());
  const v1::Payload& told = cell_->detail->outcome->result();
  if (auto held = cell_->owner->HoldInArena(told)) {
    const std::string_view data = held->view();
    return OwnedResult{FromProto(told.encoding()), told.type_name(), data, std::move(held)};
  }
  if (absl::Status brought = BringResult(*cell_); !brought.ok()) return brought;
  const std::shared_ptr<const Downloaded>& downloaded = cell_->detail->downloaded;
  return OwnedResult{FromProto(told.encoding()), told.type_name(), downloaded->view(), downloaded};
}

bool TaskRef::Wait(Duration timeout) const {
  if (cell_ == nullptr || cell_->done()) return true;
  std::array<HandleState*, 1> cells{cell_};
  return cell_->owner->Wait(cells, WaitMode::kAllCompleted, Deadline(timeout));
}

bool TaskRef::done() const { return cell_ == nullptr || cell_->done(); }

bool TaskRef::lost() const { return cell_ != nullptr && cell_->phase.published() == Phase::kLost; }

TaskState TaskRef::state() const {
  if (cell_ == nullptr) return TaskState::kUnspecified;
  if (!cell_->done()) return TaskState::kQueued;
  switch (cell_->phase.published()) {
    case Phase::kSucceeded:
      return TaskState::kSucceeded;
    case Phase::kEnded:
    case Phase::kNeverSent:
      return FromProto(cell_->detail->outcome->state());
    default:
      return TaskState::kUnspecified;
  }
}

absl::StatusOr<bool> TaskRef::Cancel(bool running) const {
  if (cell_ == nullptr) return NoTask();
  if (cell_->done()) return state() == TaskState::kCancelled;
  return cell_->owner->Cancel(*cell_, running);
}

absl::StatusOr<bool> TaskRef::Running() const {
  if (cell_ == nullptr) return NoTask();
  if (cell_->done()) return false;
  auto response = cell_->owner->Ask(*cell_);
  if (!response.ok()) return response.status();
  return response->task().state() == v1::TASK_STATE_RUNNING;
}

absl::StatusOr<bool> TaskRef::Successful() const {
  if (cell_ == nullptr) return NoTask();
  if (!cell_->done()) {
    return MakeError(reason::kNotReady, cell_->FunctionName() + " is not ready");
  }
  return EndedWell(*cell_);
}

void TaskRef::CancelSoon(bool running) const {
  if (cell_ != nullptr && !cell_->done()) cell_->owner->CancelSoon(*cell_, running);
}

std::optional<client::Progress> TaskRef::Progress() const {
  if (cell_ == nullptr || !cell_->owner->here()) return std::nullopt;
  MutexLock lock(&cell_->owner->mutex());
  if (!cell_->detail) return std::nullopt;
  return cell_->detail->progress;
}

void TaskRef::OnProgress(ProgressCallback callback) const {
  if (cell_ != nullptr) cell_->owner->OnProgress(*cell_, std::move(callback));
}

absl::StatusOr<client::Outcome> TaskRef::Outcome() const {
  if (cell_ == nullptr) return NoTask();
  if (!cell_->done()) return WaitTimeoutError(cell_->FunctionName());
  switch (cell_->phase.published()) {
    case Phase::kSucceeded:
      return CompactSuccess(*cell_);
    case Phase::kEnded:
    case Phase::kNeverSent:
      return FromProto(*cell_->detail->outcome);
    default:
      return cell_->detail->refusal;
  }
}

void TaskRef::OnDone(std::function<void(TaskRef)> callback) const {
  if (cell_ == nullptr) return;
  cell_->owner->OnDone(*cell_,
                       [callback = std::move(callback)](HandleState* cell) { callback(TaskRef(AsTask(cell))); });
}

HandleId TaskRef::id() const { return cell_ != nullptr ? cell_->id : HandleId{}; }

std::string TaskRef::ToString() const {
  if (cell_ == nullptr) return "";
  Keep();
  return "poold:" + cell_->owner->instance_id() + ":" + cell_->id.ToHex();
}

void TaskRef::Keep() const {
  if (cell_ != nullptr) cell_->Keep();
}

std::string TaskRef::function() const { return cell_ != nullptr ? cell_->FunctionName() : ""; }

}  // namespace poold::client::internal
