// IndexRanges: a set of item indexes as disjoint ranges, where neighbours are joined.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace poold::client::internal {

// A plain value. The memory grows with the gaps, not with the items.
class IndexRanges {
 public:
  bool Contains(std::uint64_t index) const { return Overlaps(index, 1); }
  // Whether one of the items is in the set.
  bool Overlaps(std::uint64_t first, std::uint64_t count) const;
  // REQUIRES: none of the items is in the set.
  void Add(std::uint64_t first, std::uint64_t count);
  // The ranges below `end` that are not in the set, as [begin, end).
  std::vector<std::pair<std::uint64_t, std::uint64_t>> GapsBelow(std::uint64_t end) const;

 private:
  // From begin to end.
  std::map<std::uint64_t, std::uint64_t> ranges_;
};

}  // namespace poold::client::internal
