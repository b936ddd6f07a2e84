// Tasks that wait for tasks, and the wait that could not end.
//
// The rule: a wait of a task is refused when it could not end by itself. What is waited for can end when it runs on a
// worker that does not wait in vain, or when its pool has, or will have, a worker that does not. So a task may not wait
// for itself, not for what only its own pool could run when all workers of that wait so, and not in a circle over
// several pools. Only the wait that closes the circle is refused; the others go on when its task has ended.
//
// Limits: what a wait with a time limit would do when that is over is not considered; waits for more than
// kMostNeedsLookedAt handles are never refused; neither are those over pools of several shards. A pool that loses
// workers to a resize later is not looked at again.
// Pure functions of plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/types.h"

namespace poold::core {

// Handles of one wait, at most, for which it is looked at.
inline constexpr std::size_t kMostNeedsLookedAt = 256;

// What has to happen for a handle to end: the worker that runs it goes on, or its pool has a worker for it.
struct Need {
  PoolId pool{};
  // Workers that the pool is to have.
  std::uint32_t pool_workers = 0;
  // The pool sends nothing to workers any more, and ends the handle itself.
  bool needs_no_worker = false;
  // The worker that has the handle; zero: none has it yet, or it is a map.
  WorkerId runner{};
  friend bool operator==(const Need&, const Need&) = default;
};

// One wait of the task that a worker runs.
struct WaitingWorker {
  WorkerId worker{};
  // The pool of that worker.
  PoolId pool{};
  // The wait ends when all needs have ended; else with any of them.
  bool for_all = false;
  // There are too many needs to look at: the wait is taken as one that can end.
  bool unknown = false;
  std::vector<Need> needs;

  // Adds a need that is not there yet.
  void Add(const Need& need);
};

// Whether none of the waits of this worker can end, as long as none of the others is given up.
bool WaitsInVain(const std::vector<WaitingWorker>& waits, WorkerId worker);

}  // namespace poold::core
