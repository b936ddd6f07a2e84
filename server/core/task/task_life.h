// The life cycle of a task, from its submission until its outcome is released.
//
// Only TaskCourse and the scheduler move a task, through the one TaskLives of the core; each transition says which
// event leads to it.
// Clients see QUEUED before kSent, RUNNING from kSent on, and in kSucceeded and kEnded the state of the outcome
// (Task::state).
#pragma once

#include <cstdint>

#include "core/life.h"
#include "core/types.h"

namespace poold::core {

// Before kSucceeded a task stands in exactly one place: a line of its pool, the list of those that wait for their time,
// or the list of one worker.
enum class TaskLife : std::uint8_t {
  // Accepted by Submissions, and in no list yet. Over before the event is.
  kNew,
  // In the line of its client, or in that of a circuit breaker.
  kQueued,
  // In Pool::delayed: waits for its start delay or for the pause before a retry.
  kDelayed,
  // In Worker::sent: the worker runs it, or will after what it runs.
  kSent,
  // With a worker, and to end CANCELLED whatever the worker says. Its worker is killed, now or when the task is its
  // present one.
  kCancelling,
  // With a worker that is killed since run_timeout passed; ends TIMED_OUT, or is tried again.
  kTimingOut,
  // With a worker that is killed since total_timeout passed; ends TIMED_OUT.
  kOutOfTime,
  // Ended in a compact success: Task::body is the result.
  kSucceeded,
  // Ended with Task::outcome.
  kEnded,
};

inline constexpr Transition<TaskLife> kTaskTransitions[] = {
    // OnSubmit.
    {TaskLife::kNew, TaskLife::kQueued},
    // OnSubmit with a start delay.
    {TaskLife::kNew, TaskLife::kDelayed},
    // The scheduler gives it to a worker.
    {TaskLife::kQueued, TaskLife::kSent},
    // Cancelled, expired, its pool ended, or no worker has its function.
    {TaskLife::kQueued, TaskLife::kEnded},
    // Its timer: the time has come.
    {TaskLife::kDelayed, TaskLife::kQueued},
    // Cancelled, expired, its pool ended, or no worker has its function.
    {TaskLife::kDelayed, TaskLife::kEnded},
    // Taken back, or its worker died before it began; or it failed and is tried again at once.
    {TaskLife::kSent, TaskLife::kQueued},
    // It failed or crashed, and is tried again after a pause.
    {TaskLife::kSent, TaskLife::kDelayed},
    // OnCancel with `running`; it could not be taken back.
    {TaskLife::kSent, TaskLife::kCancelling},
    // Its timer: run_timeout.
    {TaskLife::kSent, TaskLife::kTimingOut},
    // Its timer: total_timeout.
    {TaskLife::kSent, TaskLife::kOutOfTime},
    // OnTaskResult: a success that IsPlain.
    {TaskLife::kSent, TaskLife::kSucceeded},
    // OnTaskResult or OnWorkerLost, and no attempt is left; or its pool ends.
    {TaskLife::kSent, TaskLife::kEnded},
    // OnWorkerLost or OnTaskResult.
    {TaskLife::kCancelling, TaskLife::kEnded},
    // OnWorkerLost; tried again at once.
    {TaskLife::kTimingOut, TaskLife::kQueued},
    // OnWorkerLost; tried again after a pause.
    {TaskLife::kTimingOut, TaskLife::kDelayed},
    // OnWorkerLost, and no attempt is left; or its pool ends.
    {TaskLife::kTimingOut, TaskLife::kEnded},
    // OnWorkerLost, or its pool ends.
    {TaskLife::kOutOfTime, TaskLife::kEnded},
};

using TaskLives = LifeCycle<kTaskTransitions>;

constexpr bool HasEnded(TaskLife life) { return life >= TaskLife::kSucceeded; }
// The end that was decided while the task is with a worker, whatever the worker answers; kUnspecified: none was.
constexpr TaskState DecidedEnd(TaskLife life) {
  if (life == TaskLife::kCancelling) return TaskState::kCancelled;
  return life == TaskLife::kTimingOut || life == TaskLife::kOutOfTime ? TaskState::kTimedOut : TaskState::kUnspecified;
}

}  // namespace poold::core
