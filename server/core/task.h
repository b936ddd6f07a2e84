// One call of one function, from its submission until its outcome is released.
#pragma once

#include "core/handle.h"
#include "core/worker_mark.h"

namespace poold::core {

struct Worker;

struct Task : Handle {
  Task() : Handle(NodeKind::kTask) {}

  TaskState state = TaskState::kQueued;
  // What it ends as when its worker, which is being killed for it, is gone: kTimedOut or kCancelled.
  TaskState intent = TaskState::kUnspecified;
  std::uint32_t attempt = 0;                          // that was sent last
  std::uint32_t estimate = 0;                         // how long it probably runs, when it was sent
  std::uint32_t body_hash = 0;                        // of its arguments
  std::uint8_t deaths = 0;                            // of workers, under it
  bool out_of_time : 1 = false;                       // total_timeout passed: not tried again
  bool begun : 1 = false;                             // surely: it could not be taken back
  bool delayed : 1 = false;                           // in Pool::delayed
  bool args_kept : 1 = false;                         // it ended, and its arguments are here still
  bool plain : 1 = false;                             // it ended in plain success, and has no `outcome`
  Encoding result_encoding = Encoding::kUnspecified;  // of a plain success
  Bytes body;                // its arguments, whose encoding the group has; after a plain success its result
  Worker* worker = nullptr;  // that it was sent to
  WorkerMark ran_on;         // the same; stays when it ends there
  union {
    std::uint64_t token = 0;  // of the attempt that is with a worker; 0 when it came back
    Nanos not_before;         // of a task that waits
    Nanos ended_at;           // of a plain success
  };
  Nanos sent_at = 0;  // after a plain success: when it started
  OutcomePtr outcome;
};
// There may be ten million of them.
static_assert(sizeof(Task) <= 168);

// REQUIRES: its arguments are there: it has not ended in plain success.
inline Payload ArgumentsOf(const Task& task) { return {task.group->encoding, task.group->type_name, task.body}; }

}  // namespace poold::core
