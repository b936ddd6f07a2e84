#pragma once

#include <functional>

#include "absl/status/status.h"
#include "samples.h"

namespace poold::bench {

// Round trips, one after the other: p50_us and p99_us.
Samples MeasureTrips(std::uint64_t count, const std::function<absl::Status()>& trip);

}  // namespace poold::bench
