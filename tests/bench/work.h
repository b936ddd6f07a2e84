// Work of a known length, which costs what it costs also where a CPU is shared: not a wait until a time has come.
#pragma once

#include <cstdint>

namespace poold::bench {

// The same as `work` of the module `testing`: each step waits for the one before. Answers `steps`.
inline std::uint64_t Work(std::uint64_t steps) {
  std::uint64_t chain = steps;
  for (std::uint64_t i = 0; i < steps; ++i) {
    chain = chain * 6364136223846793005u + 1442695040888963407u;
    asm volatile("" : "+r"(chain));
  }
  return steps;
}

// How many steps take a microsecond here. Measured once, the best of several.
double StepsPerMicrosecond();

}  // namespace poold::bench
