#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace poold::bench {

// What the two pools of Python's standard library do with the same work, in one run of /usr/bin/python3 with
// `workers` processes. Blocks until it ends.
struct PythonFigures {
  // Tasks (items) a second; median seconds of one round trip for latency.
  double pool = 0;
  double executor = 0;
};

bool HavePython();

// `kind` is "submit", "map" or "latency"; `count` how many tasks, items or round trips. Unavailable when the program
// fails.
absl::StatusOr<PythonFigures> MeasurePython(const std::string& kind, uint32_t workers, uint64_t count);

}  // namespace poold::bench
