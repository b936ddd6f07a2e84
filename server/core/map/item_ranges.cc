#include "core/map/item_ranges.h"

#include <algorithm>
#include <iterator>

namespace poold::core {

void ItemRanges::Add(ItemRange range) {
  if (range.size() == 0) return;
  auto at = ranges_.upper_bound(range.begin);
  if (at != ranges_.begin() && std::prev(at)->second >= range.begin) {
    --at;
    if (range.end <= at->second) return;
    // The usual way to grow: at the end of the one before.
    if (const auto next = std::next(at); next == ranges_.end() || next->first > range.end) {
      at->second = range.end;
      return;
    }
  }
  while (at != ranges_.end() && at->first <= range.end) {
    range.begin = std::min(range.begin, at->first);
    range.end = std::max(range.end, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace(range.begin, range.end);
}

bool ItemRanges::Covers(ItemRange range) const {
  auto at = ranges_.upper_bound(range.begin);
  return at != ranges_.begin() && std::prev(at)->second >= range.end;
}

std::uint64_t ItemRanges::StopBehind(ItemRange range, std::uint64_t most) const {
  for (auto at = ranges_.upper_bound(range.begin); at != ranges_.end() && at->first < range.end; ++at) {
    if (--most == 0) return at->first;
  }
  return range.end;
}

ItemRange ItemRanges::TakeFront(std::uint64_t most) {
  const auto first = ranges_.begin();
  const ItemRange taken{first->first, std::min(first->second, first->first + most)};
  const std::uint64_t end = first->second;
  ranges_.erase(first);
  if (taken.end < end) ranges_.emplace(taken.end, end);
  return taken;
}

std::uint64_t ItemRanges::CountItems() const {
  std::uint64_t items = 0;
  for (const auto& [begin, end] : ranges_) items += end - begin;
  return items;
}

}  // namespace poold::core
