// Tasks that wait for other tasks, as far as they run still: see subscribe/deadlock.h.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/pool.h"
#include "core/subscribe/deadlock.h"
#include "core/subscribe/waits.h"

namespace poold::core {

// Null: there is no such worker any more.
using FindWorkerRef = absl::FunctionRef<const Worker*(WorkerId)>;

std::vector<WaitingWorker> WaitsOfTasks(const Waits& waits, FindWorkerRef find);
// Workers of the pool whose present task waits.
std::uint64_t WaitingWorkers(const Pool& pool, const Waits& waits, FindWorkerRef find);

}  // namespace poold::core
