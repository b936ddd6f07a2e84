// One call of one function, from its submission until its outcome is released.
#pragma once

#include "core/handle.h"
#include "core/task/task_life.h"
#include "core/worker_mark.h"

namespace poold::core {

struct Worker;

// Its life cycle: task/task_life.h. TaskCourse moves it; the scheduler keeps the members about queue and worker.
struct Task : Handle {
  Task() : Handle(NodeKind::kTask) {}

  Life<TaskLife> life{TaskLife::kNew};
  // The attempt that was sent last, from 1; 0: none was, or the only one was taken back.
  std::uint32_t attempt = 0;
  // Nanoseconds that the task probably runs, as known when it was sent; 0: its function was not measured.
  std::uint32_t estimate = 0;
  // Hash of its arguments, so that a repeated submission is told from another one.
  std::uint32_t body_hash = 0;
  // Workers that died under it. At kMostDeaths the task is poison.
  std::uint8_t deaths = 0;
  // The task could not be taken back when its time in the queue was over, so it has begun. Reset with each sending.
  bool begun : 1 = false;
  // The task ended without success, and its arguments are still in `body`.
  bool args_kept : 1 = false;
  // Of `body` in kSucceeded.
  Encoding result_encoding = Encoding::kUnspecified;
  // Its arguments, whose encoding the group has; in kSucceeded its result.
  Bytes body;
  // The worker that it was sent to; null: it is with none.
  Worker* worker = nullptr;
  // The worker of the latest attempt, also after that worker has ended. Empty: no attempt was sent, the latest one did
  // not begin, or it stands in HandleExtras::attempts already.
  WorkerMark ran_on;
  union {
    // kSent to kOutOfTime: the token of the attempt. 0 after the task has left its worker.
    std::uint64_t token = 0;
    // kNew to kDelayed: the moment before which the task is not sent; 0: none.
    Nanos not_before;
    // kSucceeded: when it ended.
    Nanos ended_at;
  };
  // When it was sent last; in kSucceeded: when its run began.
  Nanos sent_at = 0;
  // Not null exactly in kEnded.
  OutcomePtr outcome;

  // Whether it ended in a compact success, whose result is `body`.
  bool plain() const { return life == TaskLife::kSucceeded; }
  // The state that clients see: kQueued until it is sent, kRunning while it is with a worker.
  TaskState state() const {
    if (life < TaskLife::kSent) return TaskState::kQueued;
    if (life < TaskLife::kSucceeded) return TaskState::kRunning;
    return plain() ? TaskState::kSucceeded : outcome->state;
  }
};
// There may be ten million of them.
static_assert(sizeof(Task) <= 168);

// The arguments; empty where they were let go of. REQUIRES: not kSucceeded, where `body` is the result.
inline Payload ArgumentsOf(const Task& task) { return {task.group->encoding, task.group->type_name, task.body}; }

}  // namespace poold::core
