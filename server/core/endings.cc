// How tasks and maps end, how long their outcomes are kept, and how they are forgotten.
#include <utility>

#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

// It wrote something that its outcome tells.
bool Spoke(const Task& task) {
  return task.extras != nullptr && !(task.extras->stdout_tail.empty() && task.extras->stderr_tail.empty());
}

}  // namespace

std::shared_ptr<Outcome> Core::State::NewOutcome(const Task& task, TaskState state) const {
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

OutcomePtr Core::State::OutcomeOf(const Task& task, TaskState state, std::string_view type,
                                  std::string_view message) const {
  auto outcome = NewOutcome(task, state);
  if (outcome->detail == nullptr) outcome->detail = std::make_unique<OutcomeDetail>();
  outcome->detail->failure = Failure{std::string(type), std::string(message)};
  return outcome;
}

// Of tasks that came together and never ran it is the same one: so ten million of them end in a moment.
OutcomePtr Core::State::CancelledOutcome(const Task& task, std::string_view why) {
  if (task.attempt > 0 || Spoke(task)) return OutcomeOf(task, TaskState::kCancelled, "poold.Cancelled", why);
  const Outcome* last = last_cancelled.get();
  if (last == nullptr || last->ended_at != now || last->submitted_at != task.group->submitted_at ||
      last->detail->failure->message != why) {
    last_cancelled = OutcomeOf(task, TaskState::kCancelled, "poold.Cancelled", why);
  }
  return last_cancelled;
}

// Of something that never started.
OutcomePtr Core::State::NeverStartedOutcome(TaskState state, std::string_view type, std::string_view message,
                                            Nanos submitted_at) const {
  auto outcome = std::make_shared<Outcome>();
  outcome->state = state;
  outcome->submitted_at = submitted_at;
  outcome->ended_at = now;
  outcome->detail = std::make_unique<OutcomeDetail>();
  outcome->detail->failure = Failure{std::string(type), std::string(message)};
  return outcome;
}

void Core::State::CountEnd(PoolStats& stats, TaskState state, std::uint64_t count) const {
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

void Core::State::EndTask(Task& task, OutcomePtr outcome) {
  task.state = outcome->state;
  task.outcome = std::move(outcome);
  KeepArguments(task);
  Conclude(task);
}

bool Core::State::IsPlain(const Task& task, const Payload& result) {
  return task.attempt == 1 && result.type_name == nullptr && !Spoke(task);
}

void Core::State::EndPlainly(Task& task, Nanos started_at, Payload result) {
  task.state = TaskState::kSucceeded;
  task.plain = true;
  task.result_encoding = result.encoding;
  dropped.Add(task.body);
  task.body = std::move(result.data);
  task.sent_at = started_at;
  task.ended_at = now;
  Conclude(task);
}

void Core::State::Conclude(Task& task) {
  timers.Clear(&task.timer);
  task.delayed = false;
  CountEnd(task.group->pool->stats, task.state, 1);
  if (!task.released) {
    const std::uint64_t bytes = OutcomeBytesOf(task);
    CountKept(task, bytes, 1);
    if (room.IsOverfull() || Drains(*task.group->pool)) MakeRoom(task, bytes);
  }
  EndHandle(task);
}

CompactSuccess Core::State::SuccessOf(const Task& task) {
  return {task.result_encoding, task.body, task.group->submitted_at, task.sent_at, task.ended_at};
}

// Tells everybody, then keeps it until it is released.
void Core::State::EndHandle(Handle& handle) {
  handle.ended = true;
  if (handle.is_map()) AsMap(&handle)->ended_at = now;
  --handle.group->pool->unfinished;
  --unfinished;
  ++ended_handles;
  Deliver(handle);
  TellWatchers(handle);
  if (HandleExtras* extras = handle.extras.get()) {
    if (!extras->watchers.empty()) watches.HandleEnded(extras->watchers);
    const auto view = [this](const Handle* ended) { return ViewOf(*ended); };
    if (!extras->waits.empty()) waits.HandleEnded(extras->waits, Succeeded(handle), view);
  }
  if (handle.released) return Free(handle);
  outcomes.Keep(now, QuotaOf(handle), &handle);
}

// REQUIRES: it has ended.
std::uint64_t Core::State::OutcomeBytesOf(const Task& task) {
  if (task.plain) return kOutcomeOverhead + task.body.size();
  return BytesOf(*task.outcome) + (task.args_kept ? task.body.size() : 0);
}

std::uint64_t Core::State::KeptBytesOf(const Handle& handle) {
  if (handle.is_map()) return static_cast<const MapRun&>(handle).kept_bytes;
  const Task& task = static_cast<const Task&>(handle);
  return task.ended && !task.released ? OutcomeBytesOf(task) : 0;
}

Nanos Core::State::EndedAt(const Handle& handle) {
  if (handle.is_map()) return static_cast<const MapRun&>(handle).ended_at;
  const Task& task = static_cast<const Task&>(handle);
  return task.plain ? task.ended_at : task.outcome->ended_at;
}

void Core::State::Forget(Handle& handle) {
  if (!handle.is_map() && handle.ended) UncountKept(handle, OutcomeBytesOf(static_cast<Task&>(handle)), 1);
  handle.released = true;
  in_order.Remove(&handle);
  handles.Retire(handle.id);
  if (handle.is_map()) DropBlocksOf(static_cast<MapRun&>(handle));
  if (handle.ended) {
    const bool aside = handle.extras != nullptr && std::exchange(handle.extras->aside, false);
    outcomes.Remove(QuotaOf(handle), &handle, aside);
    Free(handle);
  }
}

// REQUIRES: ended, released, in no list, also not among those that can be named.
void Core::State::Free(Handle& handle) {
  if (handle.extras != nullptr) {
    waits.HandleGone(handle.extras->waits);
    subscribers.Clear(handle.extras->subscriptions);
  }
  Group* group = handle.group;
  if (handle.is_map()) {
    maps.Delete(&static_cast<MapRun&>(handle));
  } else {
    Task& task = static_cast<Task&>(handle);
    dropped.Add(task.body);
    if (task.outcome != nullptr) dropped.Add(std::move(task.outcome));
    tasks.Delete(&task);
  }
  LeaveGroup(group);
}

}  // namespace poold::core
