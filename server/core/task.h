// One call of one function, from its submission until its outcome is released.
#pragma once

#include "core/handle.h"
#include "core/task/task_life.h"
#include "core/worker_mark.h"

namespace poold::core {

struct Worker;

struct Task : Handle {
  Task() : Handle(NodeKind::kTask) {}

  Life<TaskLife> life{TaskLife::kNew};
  std::uint32_t attempt = 0;                          // that was sent last
  std::uint32_t estimate = 0;                         // how long it probably runs, when it was sent
  std::uint32_t body_hash = 0;                        // of its arguments
  std::uint8_t deaths = 0;                            // of workers, under it
  bool begun : 1 = false;                             // surely: it could not be taken back
  bool args_kept : 1 = false;                         // it ended, and its arguments are here still
  Encoding result_encoding = Encoding::kUnspecified;  // of a plain success
  Bytes body;                // its arguments, whose encoding the group has; after a plain success its result
  Worker* worker = nullptr;  // that it was sent to
  WorkerMark ran_on;         // the same; stays when it ends there
  union {
    std::uint64_t token = 0;  // of the attempt that is with a worker; 0 when it came back
    Nanos not_before;         // of a task that waits
    Nanos ended_at;           // of a plain success
  };
  Nanos sent_at = 0;   // after a plain success: when it started
  OutcomePtr outcome;  // null until kEnded

  bool plain() const { return life == TaskLife::kSucceeded; }
  // As clients see it.
  TaskState state() const {
    if (life < TaskLife::kSent) return TaskState::kQueued;
    if (life < TaskLife::kSucceeded) return TaskState::kRunning;
    return plain() ? TaskState::kSucceeded : outcome->state;
  }
};
// There may be ten million of them.
static_assert(sizeof(Task) <= 168);

// REQUIRES: its arguments are there: it has not ended in plain success.
inline Payload ArgumentsOf(const Task& task) { return {task.group->encoding, task.group->type_name, task.body}; }

}  // namespace poold::core
