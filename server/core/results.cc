// Results of single tasks, and trying again.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

Task* Core::State::FindAttempt(WorkerId worker, AttemptToken token) const {
  if (IsChunkToken(token)) return nullptr;
  Task* task = tasks.Find(TokenSlot(token));
  if (task == nullptr || task->token != static_cast<std::uint64_t>(token) || task->worker == nullptr) return nullptr;
  if (task->worker->pool->sweep == Sweep::kAll) return nullptr;  // it is said to be cancelled
  return task->worker->id == worker ? task : nullptr;
}

void Core::State::TakeTaskResult(WorkerId worker_id, AttemptToken token, TaskResult&& result) {
  Task* task = FindAttempt(worker_id, token);
  if (task == nullptr) {
    if (Worker* worker = staffing.Find(worker_id)) ++worker->pool->stats.dropped_results;
    return;
  }
  Worker& worker = *task->worker;
  Pool& pool = *worker.pool;
  if (task->intent != TaskState::kUnspecified) {
    // What was decided stays. If the worker is being killed for it, its death certificate is still to come.
    ++pool.stats.dropped_results;
    if (worker.killed_by != KilledBy::kUnspecified) return;
    Unsend(*task);
    EndTask(*task, OutcomeOf(*task, task->intent, "poold.Cancelled", "cancelled by a client"));
    return ReconcileWorker(pool, worker);
  }
  CallsCameBack(pool, task->group->function, result.elapsed, 1, result.result.data.size());
  if (worker.tasks_done++ == 0) pool.OriginOf(worker).tries.Worked();
  const Nanos started_at = std::max(task->sent_at, now - result.elapsed);
  Unsend(*task);
  const TaskState state = result.failure ? TaskState::kFailed : TaskState::kSucceeded;
  if (result.failure && MayRetry(*task, state)) {
    NoteAttempt(*task, state, started_at, ReasonOf(&*result.failure, nullptr));
    RetryTask(*task);
    return ReconcileWorker(pool, worker);
  }
  if (!result.failure && IsPlain(*task, result.result)) {
    EndPlainly(*task, started_at, std::move(result.result));
    return ReconcileWorker(pool, worker);
  }
  auto outcome = NewOutcome(*task, state);
  outcome->started_at = started_at;
  if (result.failure) {
    if (outcome->detail == nullptr) outcome->detail = std::make_unique<OutcomeDetail>();
    outcome->detail->failure = std::move(result.failure);
  } else {
    outcome->result = std::move(result.result);
  }
  EndTask(*task, std::move(outcome));
  ReconcileWorker(pool, worker);
}

bool Core::State::MayRetry(const Task& task, TaskState state) const {
  const TaskOptions& options = *task.group->options;
  if ((options.retry_on >> static_cast<unsigned>(state) & 1) == 0 || task.attempt >= options.max_attempts) return false;
  const Pool& pool = *task.group->pool;
  return !pool.broken && !pool.runs_only && !task.out_of_time && task.deaths < kMostDeaths;
}

// REQUIRES: the task is in no list.
void Core::State::RetryTask(Task& task) {
  const TaskOptions& options = *task.group->options;
  task.not_before = After(now, RetryPause(options, task.attempt));
  ++task.group->pool->stats.retried;
  OwnArguments(task);  // its neighbours may be long gone when its turn comes again
  Queue(task, /*in_front=*/true);
  TellWatchers(task);
}

// Doubles each time up to the longest; half of it is by chance, so that what failed together does not come together.
Nanos Core::State::RetryPause(const TaskOptions& options, std::uint32_t attempt) {
  Nanos pause = std::min(options.retry_delay, options.max_retry_delay);
  for (std::uint32_t i = 1; i < attempt && pause < options.max_retry_delay; ++i) {
    pause = pause > options.max_retry_delay / 2 ? options.max_retry_delay : pause * 2;
  }
  const Nanos half = pause / 2;
  return pause - half + (half > 0 ? static_cast<Nanos>(random() % static_cast<std::uint64_t>(half + 1)) : 0);
}

}  // namespace poold::core
