// What is measured: a job is one case, the same for every driver.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace poold::bench {

// The shape of the work. What a driver cannot do it does not claim (Driver::Does).
enum class Shape {
  kMap,        // one map: `count` ints, squared
  kBurst,      // `count` no-op tasks, submitted one by one, then all collected
  kWindow,     // the same with `outstanding` of them under way at a time
  kTrips,      // `count` no-op tasks, each when the one before is back
  kEcho,       // `count` payloads of `bytes` there and back, `outstanding` under way at a time
  kWorkMap,    // one map: each item computes as long as `sizes` says (steps of work.h)
  kWorkTasks,  // the same as single tasks
  kLongFirst,  // the same map as kWorkMap, whose first item is long: when are all others done?
  kSpinMap,    // one map: each item keeps a CPU busy until so many microseconds (`sizes`) have passed
  kFresh,      // `count` no-op tasks, each in a process of its own with `bytes` of prepared state
};

struct Job {
  std::string bench;  // the kind: "map"
  std::string name;   // the case: "1000000 ints"
  Shape shape = Shape::kMap;
  std::uint64_t count = 0;
  // For drivers that are up to a thousand times slower (Driver::slow); 0: as `count`.
  std::uint64_t slow_count = 0;
  std::uint64_t outstanding = 1;
  std::uint64_t bytes = 0;
  // Items of a chunk; 0: what the driver takes by itself.
  std::uint32_t chunk = 0;
  std::vector<std::uint32_t> sizes;
  // The subjects that do it; empty: all.
  std::vector<std::string> only;
};

}  // namespace poold::bench
