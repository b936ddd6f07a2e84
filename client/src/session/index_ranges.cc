#include "session/index_ranges.h"

#include <iterator>

namespace poold::client::internal {

bool IndexRanges::Overlaps(std::uint64_t first, std::uint64_t count) const {
  auto after = ranges_.lower_bound(first + count);
  return after != ranges_.begin() && std::prev(after)->second > first;
}

void IndexRanges::Add(std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  std::uint64_t end = first + count;
  auto after = ranges_.lower_bound(first);
  if (after != ranges_.end() && after->first == end) {
    end = after->second;
    after = ranges_.erase(after);
  }
  if (after != ranges_.begin() && std::prev(after)->second == first) {
    std::prev(after)->second = end;
  } else {
    ranges_.emplace_hint(after, first, end);
  }
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> IndexRanges::GapsBelow(std::uint64_t end) const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
  std::uint64_t next = 0;
  for (const auto& [first, last] : ranges_) {
    if (first >= end) break;
    if (first > next) gaps.emplace_back(next, first);
    next = last;
  }
  if (next < end) gaps.emplace_back(next, end);
  return gaps;
}

}  // namespace poold::client::internal
