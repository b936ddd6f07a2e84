#include "core/task/ending.h"

#include <string>

#include "core/outcome/outcome_bytes.h"

namespace poold::core {
namespace {

// It wrote something that its outcome tells.
bool Spoke(const Task& task) {
  return task.extras != nullptr && !(task.extras->stdout_tail.empty() && task.extras->stderr_tail.empty());
}

}  // namespace

std::shared_ptr<Outcome> NewOutcome(const Task& task, TaskState state, Nanos now) {
  auto outcome = std::make_shared<Outcome>();
  outcome->state = state;
  outcome->attempt = task.attempt;
  outcome->submitted_at = task.group->submitted_at;
  outcome->started_at = task.attempt > 0 ? task.sent_at : 0;
  outcome->ended_at = now;
  if (Spoke(task)) {
    outcome->detail = std::make_unique<OutcomeDetail>();
    outcome->detail->stdout_tail = task.extras->stdout_tail;
    outcome->detail->stderr_tail = task.extras->stderr_tail;
  }
  return outcome;
}

OutcomePtr FailedOutcome(const Task& task, TaskState state, std::string_view type, std::string_view message,
                         Nanos now) {
  auto outcome = NewOutcome(task, state, now);
  if (outcome->detail == nullptr) outcome->detail = std::make_unique<OutcomeDetail>();
  outcome->detail->failure = Failure{std::string(type), std::string(message)};
  return outcome;
}

OutcomePtr CancelledOutcomes::Of(const Task& task, std::string_view why, Nanos now) {
  if (task.attempt > 0 || Spoke(task)) return FailedOutcome(task, TaskState::kCancelled, "poold.Cancelled", why, now);
  const Outcome* last = last_.get();
  if (last == nullptr || last->ended_at != now || last->submitted_at != task.group->submitted_at ||
      last->detail->failure->message != why) {
    last_ = FailedOutcome(task, TaskState::kCancelled, "poold.Cancelled", why, now);
  }
  return last_;
}

OutcomePtr NeverStartedOutcome(TaskState state, std::string_view type, std::string_view message, Nanos submitted_at,
                               Nanos now) {
  auto outcome = std::make_shared<Outcome>();
  outcome->state = state;
  outcome->submitted_at = submitted_at;
  outcome->ended_at = now;
  outcome->detail = std::make_unique<OutcomeDetail>();
  outcome->detail->failure = Failure{std::string(type), std::string(message)};
  return outcome;
}

bool IsPlain(const Task& task, const Payload& result) {
  return task.attempt == 1 && result.type_name == nullptr && !Spoke(task);
}

std::uint64_t OutcomeBytesOf(const Task& task) {
  if (task.plain()) return kOutcomeOverhead + task.body.size();
  return BytesOf(*task.outcome) + (task.args_kept ? task.body.size() : 0);
}

std::uint64_t KeptBytesOf(const Handle& handle) {
  if (handle.is_map()) return static_cast<const MapRun&>(handle).kept_bytes;
  const Task& task = static_cast<const Task&>(handle);
  return task.ended() && !task.released ? OutcomeBytesOf(task) : 0;
}

Nanos EndedAt(const Handle& handle) {
  if (handle.is_map()) return static_cast<const MapRun&>(handle).ended_at;
  const Task& task = static_cast<const Task&>(handle);
  return task.plain() ? task.ended_at : task.outcome->ended_at;
}

void CountEnd(PoolStats& stats, TaskState state, std::uint64_t count) {
  switch (state) {
    case TaskState::kSucceeded:
      stats.succeeded += count;
      break;
    case TaskState::kFailed:
      stats.failed += count;
      break;
    case TaskState::kCrashed:
      stats.crashed += count;
      break;
    case TaskState::kTimedOut:
      stats.timed_out += count;
      break;
    case TaskState::kExpired:
      stats.expired += count;
      break;
    default:
      stats.cancelled += count;
      break;
  }
}

}  // namespace poold::core
