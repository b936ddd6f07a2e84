#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "poold/client/pool.h"

// One round of each measurement, on a pool that has the modules `testing` and `examples`. Blocking. Every result is
// checked: a wrong one is the status.
namespace poold::bench {

// Single no-op tasks, `outstanding` under way at a time: tasks a second.
absl::StatusOr<double> MeasureSubmit(const client::Pool& pool, uint64_t tasks, uint64_t outstanding);

// One map of trivial items: items a second, from the call to the last result read. `chunk_size` 0: automatic.
absl::StatusOr<double> MeasureMap(const client::Pool& pool, uint64_t items, uint32_t chunk_size);

// One map of items that keep a CPU busy for so many microseconds each: items a second.
absl::StatusOr<double> MeasureSpins(const client::Pool& pool, const std::vector<uint32_t>& micros, uint32_t chunk_size);

// What any pool is up against that gives each task a process: all workers fork, exit and wait, and nothing else. Forks a
// second, all together.
absl::StatusOr<double> MeasureBareForks(const client::Pool& pool, uint32_t workers);

// A no-op task after the other: seconds of a round trip.
struct Latency {
  double p50 = 0;
  double p99 = 0;
};
absl::StatusOr<Latency> MeasureLatency(const client::Pool& pool, uint64_t trips);

}  // namespace poold::bench
