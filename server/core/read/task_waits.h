// Tasks that wait for other tasks, as far as they run still: see subscribe/deadlock.h.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/pool.h"
#include "core/subscribe/deadlock.h"
#include "core/subscribe/waits.h"

namespace poold::core {

// Finds a worker by its id; answers null when there is no such worker any more.
using FindWorkerRef = absl::FunctionRef<const Worker*(WorkerId)>;

// The waits of tasks that run still, in the form that WaitsInVain takes.
std::vector<WaitingWorker> WaitsOfTasks(const Waits& waits, FindWorkerRef find);
// How many workers of the pool have a present task that waits for others.
std::uint64_t WaitingWorkers(const Pool& pool, const Waits& waits, FindWorkerRef find);

}  // namespace poold::core
