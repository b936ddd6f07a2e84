#include "core/task_course.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/map/map_items.h"
#include "core/read/view_of.h"

namespace poold::core {

Nanos RetryPause(const TaskOptions& options, std::uint32_t attempt, std::mt19937_64& random) {
  Nanos pause = std::min(options.retry_delay, options.max_retry_delay);
  for (std::uint32_t i = 1; i < attempt && pause < options.max_retry_delay; ++i) {
    pause = pause > options.max_retry_delay / 2 ? options.max_retry_delay : pause * 2;
  }
  const Nanos half = pause / 2;
  return pause - half + (half > 0 ? static_cast<Nanos>(random() % static_cast<std::uint64_t>(half + 1)) : 0);
}

// ---- How it ends ----

void TaskCourse::End(Task& task, OutcomePtr outcome) {
  task.outcome = std::move(outcome);
  lives_.Move(task.life, TaskLife::kEnded);
  endings_.KeepArguments(task);
  endings_.TaskEnded(task);
}

void TaskCourse::EndPlainly(Task& task, Nanos started_at, Payload result) {
  lives_.Move(task.life, TaskLife::kSucceeded);
  task.result_encoding = result.encoding;
  dropped_.Add(task.body);
  task.body = std::move(result.data);
  task.sent_at = started_at;
  task.ended_at = now_;
  endings_.TaskEnded(task);
}

// ---- Results ----

bool TaskCourse::TakeResult(Task& task, TaskResult& result) {
  Worker& worker = *task.worker;
  Pool& pool = *worker.pool;
  if (const TaskState decided = DecidedEnd(task.life); decided != TaskState::kUnspecified) {
    // What was decided stays. If the worker is being killed for it, its death certificate is still to come.
    ++pool.stats.dropped_results;
    if (worker.killed_by != KilledBy::kUnspecified) return false;
    scheduler_.Unsend(task);
    End(task, FailedOutcome(task, decided, "poold.Cancelled", "cancelled by a client", now_));
    return true;
  }
  scheduler_.CallsCameBack(pool, task.group->function, result.elapsed, 1, result.result.data.size());
  if (worker.tasks_done++ == 0) pool.OriginOf(worker).tries.Worked();
  const Nanos started_at = std::max(task.sent_at, now_ - result.elapsed);
  scheduler_.Unsend(task);
  const TaskState state = result.failure ? TaskState::kFailed : TaskState::kSucceeded;
  if (result.failure && MayRetry(task, state)) {
    NoteAttempt(task, state, started_at, ReasonOf(&*result.failure, nullptr));
    Retry(task);
    return true;
  }
  if (!result.failure && IsPlain(task, result.result)) {
    EndPlainly(task, started_at, std::move(result.result));
    return true;
  }
  auto outcome = NewOutcome(task, state, now_);
  outcome->started_at = started_at;
  if (result.failure) {
    if (outcome->detail == nullptr) outcome->detail = std::make_unique<OutcomeDetail>();
    outcome->detail->failure = std::move(result.failure);
  } else {
    outcome->result = std::move(result.result);
  }
  End(task, std::move(outcome));
  return true;
}

// ---- Trying again ----

bool TaskCourse::MayRetry(const Task& task, TaskState state) const {
  const TaskOptions& options = *task.group->options;
  if ((options.retry_on >> static_cast<unsigned>(state) & 1) == 0 || task.attempt >= options.max_attempts) return false;
  const Pool& pool = *task.group->pool;
  return !pool.broken && !pool.runs_only && task.life != TaskLife::kOutOfTime && task.deaths < kMostDeaths;
}

// REQUIRES: `task` was sent, and is in no list.
void TaskCourse::NoteAttempt(Task& task, TaskState state, Nanos started_at, std::string reason) {
  const WorkerMark::Facts* facts = task.ran_on.get();
  if (facts == nullptr) return;
  std::vector<AttemptView>& attempts = task.Extras().attempts;
  if (attempts.size() >= kMostAttempts) attempts.erase(attempts.begin());
  attempts.push_back(
      {task.attempt, facts->id, facts->pid, facts->generation, started_at, now_, state, std::move(reason)});
  task.ran_on = {};
}

// REQUIRES: the task is in no list.
void TaskCourse::Retry(Task& task) {
  task.not_before = After(now_, RetryPause(*task.group->options, task.attempt, random_));
  ++task.group->pool->stats.retried;
  endings_.OwnArguments(task);  // its neighbours may be long gone when its turn comes again
  scheduler_.Queue(task, /*in_front=*/true);
  delivery_.Changed(task);
}

// ---- Losses ----

void TaskCourse::Lose(Task& task, bool guilty, const WorkerLoss& loss) {
  const TaskState decided = DecidedEnd(task.life);
  const bool head = task.worker->sent.front() == &task;
  const Nanos started_at = head ? std::max(task.sent_at, task.worker->progress_at) : task.sent_at;
  const bool probe = CircuitBreakers::IsProbe(task, task.token);
  scheduler_.Unsend(task);
  if (!guilty && decided == TaskState::kUnspecified) {
    task.ran_on = {};
    --task.attempt;
    if (task.group->pool->runs_only) {  // it was thought to have begun when its pool was closed
      return EndCancelled(task, "its pool was closed");
    }
    if (forget_unbegun_) task.not_before = kNever;
    return scheduler_.Queue(task, /*in_front=*/true);
  }
  const TaskState state = decided != TaskState::kUnspecified ? decided : TaskState::kCrashed;
  if (state == TaskState::kCrashed) {
    ++task.deaths;
    scheduler_.NoteDeath(*task.group->pool, task.group->function, probe, loss.death.killed_by);
  }
  if (state != TaskState::kCancelled && MayRetry(task, state)) {
    NoteAttempt(task, state, started_at, ReasonOf(nullptr, &loss.death));
    return Retry(task);
  }
  auto outcome = NewOutcome(task, state, now_);
  outcome->started_at = started_at;
  if (outcome->detail == nullptr) outcome->detail = std::make_unique<OutcomeDetail>();
  OutcomeDetail& detail = *outcome->detail;
  detail.death = loss.death;
  if (detail.stdout_tail.empty()) detail.stdout_tail = loss.stdout_tail;
  if (detail.stderr_tail.empty()) detail.stderr_tail = loss.stderr_tail;
  detail.poison = task.deaths >= kMostDeaths;
  if (state == TaskState::kCancelled) detail.failure = Failure{"poold.Cancelled", "cancelled by a client"};
  End(task, std::move(outcome));
}

// ---- Cancels and time limits ----

bool TaskCourse::TakeOutOfQueue(Task& task) {
  if (task.life >= TaskLife::kSent && !scheduler_.TakeBackTask(task)) return false;
  scheduler_.Unqueue(task);
  return true;
}

Cancelled TaskCourse::Cancel(Task& task, bool running) {
  if (task.ended()) return {task.state() == TaskState::kCancelled, false};
  if (const TaskState decided = DecidedEnd(task.life); decided != TaskState::kUnspecified) {
    return {decided == TaskState::kCancelled, false};
  }
  if (TakeOutOfQueue(task)) {
    EndCancelled(task, "cancelled by a client");
    return {true, true};
  }
  if (!running) return {false, false};
  scheduler_.KillUnder(*task.worker, &task, KilledBy::kCancel);
  lives_.Move(task.life, TaskLife::kCancelling);
  return {true, true};
}

void TaskCourse::Due(Task& task) {
  if (DecidedEnd(task.life) != TaskState::kUnspecified) return;  // which stays
  const TaskOptions& options = *task.group->options;
  const bool total = now_ >= After(task.group->submitted_at, options.total_timeout);
  const bool sent = task.worker != nullptr;
  if (total) {
    TimeOut(task, /*total=*/true);
  } else if (task.attempt == (sent ? 1 : 0) && now_ >= After(task.group->submitted_at, options.queue_timeout) &&
             TakeOutOfQueue(task)) {
    End(task,
        FailedOutcome(task, TaskState::kExpired, "poold.Expired", "queue_timeout passed before it started", now_));
  } else if (task.worker != nullptr && task.worker->sent.front() == &task &&
             now_ >= After(task.worker->progress_at, options.run_timeout)) {
    TimeOut(task, /*total=*/false);
  } else if (task.life == TaskLife::kDelayed && now_ >= task.not_before) {
    scheduler_.Unqueue(task);
    scheduler_.Queue(task, /*in_front=*/task.attempt > 0);
  } else {
    task.begun = sent;  // too late for queue_timeout
    scheduler_.deadlines().ArmTask(task);
  }
}

void TaskCourse::TimeOut(Task& task, bool total) {
  if (!total && scheduler_.TakeBackTask(task)) return;  // it had not begun after all
  if (total && TakeOutOfQueue(task)) {
    return End(task, task.attempt == 0 ? FailedOutcome(task, TaskState::kExpired, "poold.Expired",
                                                       "total_timeout passed before it started", now_)
                                       : FailedOutcome(task, TaskState::kTimedOut, "poold.TimedOut",
                                                       "total_timeout passed between attempts", now_));
  }
  // Else it has ended: its result is on its way.
  if (scheduler_.KillUnder(*task.worker, &task, KilledBy::kTimeLimit)) {
    lives_.Move(task.life, total ? TaskLife::kOutOfTime : TaskLife::kTimingOut);
  }
}

}  // namespace poold::core
