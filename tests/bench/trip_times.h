#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "job.h"

namespace poold::bench {

// Round trips, one after the other: p50_us and p99_us.
absl::StatusOr<std::vector<Sample>> MeasureTrips(std::uint64_t count, const std::function<absl::Status()>& trip);

}  // namespace poold::bench
