// Ranges of items of a map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace poold::core {

struct ItemRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size() const { return end - begin; }
  friend bool operator==(const ItemRange&, const ItemRange&) = default;
};

// Disjoint ranges of items; neighbours are joined.
class ItemRanges {
 public:
  // REQUIRES: the range is not empty.
  void Add(ItemRange range);
  // Whether all items of the range are in.
  bool Covers(ItemRange range) const;
  // Where to stop in this range, so that no more than so many of these lie before.
  std::uint64_t StopBehind(ItemRange range, std::uint64_t most) const;
  bool empty() const { return ranges_.empty(); }
  std::size_t size() const { return ranges_.size(); }
  // The first item. REQUIRES: not empty.
  std::uint64_t front() const { return ranges_.begin()->first; }
  // Takes up to `most` items from the front. REQUIRES: not empty.
  ItemRange TakeFront(std::uint64_t most);
  // Items in all of them.
  std::uint64_t CountItems() const;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin -> end
};

}  // namespace poold::core
