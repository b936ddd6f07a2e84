#include "core/scheduler/chunk_size.h"

#include <algorithm>

namespace poold::core {

std::uint64_t UnmeasuredChunk(std::uint64_t left, std::uint64_t takers) {
  return std::clamp<std::uint64_t>(left / (4 * takers), 1, 8);
}

std::uint64_t MeasuredChunk(std::uint64_t left, std::uint64_t takers, double average, std::uint64_t most) {
  const auto in_time = static_cast<std::uint64_t>(static_cast<double>(kChunkTime) / average);
  const std::uint64_t full = std::min(in_time, most);
  const auto least = static_cast<std::uint64_t>(static_cast<double>(kLeastChunkTime) / average);
  const std::uint64_t share = (left + 2 * takers - 1) / (2 * takers);
  return std::clamp<std::uint64_t>(std::min(full, std::max(share, least)), 1, kMostItems);
}

}  // namespace poold::core
