#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "job.h"

namespace poold::bench {

// The jobs of a kind that is measured by the same jobs for all drivers; none for the other kinds. `scale` multiplies
// counts, lists and long waits.
std::vector<Job> JobsOf(const std::string& kind, double scale, std::uint32_t workers);

// So many, multiplied; but enough that there is something to measure.
std::uint64_t Scaled(std::uint64_t count, double scale);

}  // namespace poold::bench
