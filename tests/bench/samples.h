#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace poold::bench {

// What one round of a job gave: "items_per_s", 1.2e6. Names of times end in _s, _ms or _us.
struct Sample {
  std::string metric;
  double value = 0;
};

// Those of one round, or why there are none.
using Samples = absl::StatusOr<std::vector<Sample>>;

inline std::vector<Sample> ItemsPerSecond(std::uint64_t items, double seconds) {
  return {{"items_per_s", static_cast<double>(items) / seconds}};
}
inline std::vector<Sample> TasksPerSecond(std::uint64_t tasks, double seconds) {
  return {{"tasks_per_s", static_cast<double>(tasks) / seconds}};
}
inline std::vector<Sample> MegabytesPerSecond(std::uint64_t bytes, double seconds) {
  return {{"mb_per_s", static_cast<double>(bytes) / 1e6 / seconds}};
}

}  // namespace poold::bench
