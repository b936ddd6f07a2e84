// Which items of a map are known: disjoint ranges, neighbours joined.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace poold::client::internal {

// A plain value. As large as there are gaps.
class IndexRanges {
 public:
  bool Contains(std::uint64_t index) const { return Overlaps(index, 1); }
  bool Overlaps(std::uint64_t first, std::uint64_t count) const;
  // REQUIRES: none of them is in.
  void Add(std::uint64_t first, std::uint64_t count);
  // What is missing below `end`, as [begin, end).
  std::vector<std::pair<std::uint64_t, std::uint64_t>> GapsBelow(std::uint64_t end) const;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin -> end
};

}  // namespace poold::client::internal
