// The outcomes of one map's items, and the arguments of those that did not succeed, until they are consumed.
//
// Role: blocks as they came about, and what of them is no longer needed. Non-role: counts no bytes; whoever keeps
// outcomes does (outcome/kept_outcomes.h).
// Invariants (Check): blocks do not overlap; none lies wholly in what was consumed.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/dropped.h"
#include "core/map/item_ranges.h"
#include "core/types.h"

namespace poold::core {

// The items `begin` to `end` of a block. REQUIRES: they are in it.
ItemBlock CutBlock(const ItemBlock& block, std::uint64_t begin, std::uint64_t end);

class ItemOutcomes {
 public:
  // Keeps a block that came about now. REQUIRES: its items were not kept before.
  void Keep(ItemBlockPtr block);
  // Whether the client needs none of these items.
  bool WasConsumed(ItemRange range) const { return consumed_.Covers(range); }
  // The client needs these items no more. Visits each block that goes: all its items were consumed.
  template <typename Visit>
  void Consume(ItemRange range, Visit&& gone);
  // Where to stop in this range, so that no more than about so many blocks, arguments and pieces of what was consumed
  // lie before: behind at least one item. REQUIRES: both are more than none.
  std::uint64_t StopBehind(ItemRange range, std::uint64_t entries) const;
  // Drops all blocks and arguments, at once.
  void Drop(Dropped* dropped);

  // Whether the item has, or had, an outcome. REQUIRES: nothing was dropped but what was consumed.
  bool IsDone(std::uint64_t index) const { return consumed_.Covers({index, index + 1}) || Find(index) != nullptr; }
  // The block of this item; null if none is kept.
  ItemBlockPtr Find(std::uint64_t index) const;
  // All blocks that are kept, in the order in which they came about.
  std::vector<ItemBlockPtr> InOrder() const;

  // The place for the arguments of this item. Null: they are kept already.
  Bytes* AddArguments(std::uint64_t index) {
    const auto [kept, is_new] = arguments_.try_emplace(index);
    return is_new ? &kept->second : nullptr;
  }
  // The arguments of this item; null: they are not kept.
  const Bytes* FindArguments(std::uint64_t index) const;
  // Visits each that goes, and may take its bytes.
  template <typename Visit>
  void DropArguments(ItemRange range, Visit&& gone);

  // Entries that it has in memory.
  std::size_t entries() const { return blocks_.size() + consumed_.size() + arguments_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  struct Kept {
    ItemBlockPtr block;
    std::uint64_t arrival = 0;
  };

  // By their first item.
  std::map<std::uint64_t, Kept> blocks_;
  // Blocks that have come so far: their order.
  std::uint64_t arrivals_ = 0;
  std::map<std::uint64_t, Bytes> arguments_;
  // Items that the client needs no more.
  ItemRanges consumed_;
};

template <typename Visit>
void ItemOutcomes::Consume(ItemRange range, Visit&& gone) {
  consumed_.Add(range);
  auto at = blocks_.upper_bound(range.begin);
  if (at != blocks_.begin()) --at;
  while (at != blocks_.end() && at->first < range.end) {
    const ItemBlock& block = *at->second.block;
    if (!consumed_.Covers({at->first, at->first + block.result_bytes.size()})) {
      ++at;
      continue;
    }
    gone(std::move(at->second.block));
    at = blocks_.erase(at);
  }
}

template <typename Visit>
void ItemOutcomes::DropArguments(ItemRange range, Visit&& gone) {
  auto at = arguments_.lower_bound(range.begin);
  while (at != arguments_.end() && at->first < range.end) {
    gone(at->second);
    at = arguments_.erase(at);
  }
}

}  // namespace poold::core
