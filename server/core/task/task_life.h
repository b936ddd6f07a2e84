// The life cycle of a task, from its submission until its outcome is released.
#pragma once

#include <cstdint>

#include "core/life.h"
#include "core/types.h"

namespace poold::core {

// Before kSucceeded a task stands in exactly one place: a line of its pool, the list of those that wait for their time,
// or the list of one worker.
enum class TaskLife : std::uint8_t {
  kNew,         // was accepted, and stands nowhere yet
  kQueued,      // in its client's line, or in that of a circuit breaker
  kDelayed,     // waits for its start time, or for its next try
  kSent,        // with a worker: runs, or comes after what runs there
  kCancelling,  // with a worker: ends CANCELLED, whatever the worker says
  kTimingOut,   // with a worker that is killed since run_timeout passed; may be tried again
  kOutOfTime,   // with a worker that is killed since total_timeout passed
  kSucceeded,   // in plain success: the task keeps its result itself
  kEnded,       // with an outcome
};

inline constexpr Transition<TaskLife> kTaskTransitions[] = {
    {TaskLife::kNew, TaskLife::kQueued},
    {TaskLife::kNew, TaskLife::kDelayed},  // it has a start delay
    {TaskLife::kQueued, TaskLife::kSent},
    {TaskLife::kQueued, TaskLife::kEnded},    // cancelled, expired, or no worker has its function
    {TaskLife::kDelayed, TaskLife::kQueued},  // its time has come
    {TaskLife::kDelayed, TaskLife::kEnded},   // cancelled, or expired
    {TaskLife::kSent, TaskLife::kQueued},     // taken back, its worker died before it began, or tried again at once
    {TaskLife::kSent, TaskLife::kDelayed},    // tried again after a pause
    {TaskLife::kSent, TaskLife::kCancelling},
    {TaskLife::kSent, TaskLife::kTimingOut},
    {TaskLife::kSent, TaskLife::kOutOfTime},
    {TaskLife::kSent, TaskLife::kSucceeded},
    {TaskLife::kSent, TaskLife::kEnded},
    {TaskLife::kCancelling, TaskLife::kEnded},
    {TaskLife::kTimingOut, TaskLife::kQueued},   // tried again at once
    {TaskLife::kTimingOut, TaskLife::kDelayed},  // tried again after a pause
    {TaskLife::kTimingOut, TaskLife::kEnded},
    {TaskLife::kOutOfTime, TaskLife::kEnded},
};

using TaskLives = LifeCycle<kTaskTransitions>;

constexpr bool HasEnded(TaskLife life) { return life >= TaskLife::kSucceeded; }
// What was decided while the task is with a worker: it ends as this. kUnspecified: nothing.
constexpr TaskState DecidedEnd(TaskLife life) {
  if (life == TaskLife::kCancelling) return TaskState::kCancelled;
  return life == TaskLife::kTimingOut || life == TaskLife::kOutOfTime ? TaskState::kTimedOut : TaskState::kUnspecified;
}

}  // namespace poold::core
