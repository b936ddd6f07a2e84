// The ints of a map, and what the sum of their squares must be.
#pragma once

#include <cstdint>

namespace poold::bench {

// Small ones, so that a square fits into 32 bits.
inline std::uint32_t NumberAt(std::uint64_t index) { return static_cast<std::uint32_t>(index % 10'000); }

inline std::uint64_t SumOfSquares(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += std::uint64_t{NumberAt(i)} * NumberAt(i);
  return sum;
}

}  // namespace poold::bench
