#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

// `kind` is "submit", "map", "latency" or "fresh" (a process for each task, with 200 MB of state: of Pool alone, the
// other cannot do it with fork); `count` how many tasks, items or round trips. Unavailable when the program
// fails.
absl::StatusOr<PythonFigures> MeasurePython(const std::string& kind, uint32_t workers, uint64_t count);

// Items a second of multiprocessing.Pool.map.
struct PythonChunks {
  double formula = 0;  // with the chunks that it takes by itself: ceil(items / (4 * workers))
  double one = 0;      // with chunksize=1
};

// `micros`: how long each item keeps a CPU busy.
absl::StatusOr<PythonChunks> MeasurePythonChunks(uint32_t workers, const std::vector<uint32_t>& micros);

}  // namespace poold::bench
