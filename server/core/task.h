// One call of one function, from its submission until its outcome is released.
#pragma once

#include "core/handle.h"
#include "core/worker_mark.h"

namespace poold::core {

struct Worker;

struct Task : Handle {
  Task() : Handle(NodeKind::kTask) {}

  Payload args;
  std::uint64_t body_hash = 0;  // of its arguments
  Worker* worker = nullptr;     // that it was sent to
  WorkerMark ran_on;            // the same; stays when it ends there
  std::uint64_t token = 0;      // of the attempt that is with a worker
  Nanos sent_at = 0;
  Nanos not_before = 0;
  OutcomePtr outcome;
  Subscriber* subscriber = nullptr;  // the first one; more in extras
  std::uint32_t attempt = 0;         // that was sent last
  std::uint32_t estimate = 0;        // how long it probably runs, when it was sent
  std::uint8_t deaths = 0;           // of workers, under it
  TaskState state = TaskState::kQueued;
  // What it ends as when its worker, which is being killed for it, is gone: kTimedOut or kCancelled.
  TaskState intent = TaskState::kUnspecified;
  bool out_of_time = false;  // total_timeout passed: not tried again
  bool begun = false;        // surely: it could not be taken back
  bool delayed = false;      // in Pool::delayed
  bool args_kept = false;    // it ended, and its arguments are here still
};

}  // namespace poold::core
