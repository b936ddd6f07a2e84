// Work that lies with a worker behind what it runs: how much of it there may be, and from when on others may take it.
//
// Role: rules about one worker, told by what it has; bounds of time. Non-role: compares no workers (worker_index.h),
// sends nothing and takes nothing back.
#pragma once

#include <cstdint>

#include "core/types.h"
#include "core/worker.h"

namespace poold::core {

// How much work is sent ahead to a worker.
inline constexpr Nanos kAheadTime = 4 * kMillisecond;
// Work behind something that runs longer than this goes to other workers. Workers tell of what they did within 2 ms.
inline constexpr Nanos kPatience = 4 * kMillisecond;
// Less than this is not worth another worker's wake-up.
inline constexpr Nanos kWorthStealing = 100'000;

// Whether the worker has so little that it is worth a message to send it more. `max_prefetch`: Limits::max_prefetch.
inline bool Refills(const Worker& worker, std::uint32_t max_prefetch) {
  return worker.sent.empty() || (worker.load < kAheadTime / 2 && worker.sent.size() <= max_prefetch / 2);
}
// Whether the worker has something, and may get more beside it as far as the worker itself goes: its pool, the work and
// the time that its present task has taken may still be against it. Refills is part of it.
bool TakesMore(const Worker& worker, std::uint32_t max_prefetch);
// Whether something may lie with the worker that it has not begun, and that can come back.
bool HoldsAhead(const Worker& worker);
// Whether something waits behind what the worker runs, or what it runs may be divided, so that it is to go elsewhere
// when this takes too long. HoldsAhead is part of it.
bool HoldsWaiting(const Worker& worker);
// From when on an idle worker may take from what this one has, if nothing changes until then; kNever: nothing can be
// taken. Only another piece of work makes it earlier.
Nanos WorkToTakeAt(const Worker& worker);

}  // namespace poold::core
