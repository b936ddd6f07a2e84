// How many items of a map go to a worker at a time.
//
// Role: the size of a chunk, computed from what is known of the map and its function. Non-role: knows no map, no worker
// and no claim page; MostItems in dispatch.cc does.
// The first chunks are small, to learn how long an item takes. Then a chunk runs for about kChunkTime, and less towards
// the end of the map, so that the workers finish together, but not for less than kLeastChunkTime.
#pragma once

#include <cstdint>

#include "core/types.h"

namespace poold::core {

// How long a chunk should run.
inline constexpr Nanos kChunkTime = 3 * kMillisecond;
// A shorter chunk costs more than it evens out where a map ends.
inline constexpr Nanos kLeastChunkTime = 20'000;
// Items of a chunk, at most.
inline constexpr std::uint64_t kMostItems = 1u << 20;

// While nobody knows how long an item takes. `left`: items that wait; `takers`: workers that may get some, at least 1.
std::uint64_t UnmeasuredChunk(std::uint64_t left, std::uint64_t takers);
// `average`: nanoseconds that an item takes, above 0. `most`: items for whose outcomes there is room.
// Returns 1 to kMostItems.
std::uint64_t MeasuredChunk(std::uint64_t left, std::uint64_t takers, double average, std::uint64_t most);

}  // namespace poold::core
