#include "core/map/item_outcomes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace poold::core {

ItemBlock CutBlock(const ItemBlock& block, std::uint64_t begin, std::uint64_t end) {
  ItemBlock part;
  part.first_index = begin;
  part.encoding = block.encoding;
  part.type_name = block.type_name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t index = block.first_index; index < end; ++index) {
    const std::uint32_t length = block.result_bytes[index - block.first_index];
    if (index < begin) {
      offset += length;
    } else {
      bytes += length;
      part.result_bytes.push_back(length);
    }
  }
  part.results = block.results.substr(offset, bytes);
  for (const auto& other : block.others) {
    if (other.first >= begin && other.first < end) part.others.push_back(other);
  }
  return part;
}

void ItemOutcomes::Keep(ItemBlockPtr block) {
  const std::uint64_t first = block->first_index;
  blocks_.emplace(first, Kept{std::move(block), arrivals_++});
}

std::uint64_t ItemOutcomes::StopBehind(ItemRange range, std::uint64_t entries) const {
  const auto stop = [range, entries](const auto& all, std::uint64_t end) {
    std::uint64_t left = entries;
    for (auto at = all.upper_bound(range.begin); at != all.end() && at->first < end; ++at) {
      if (--left == 0) return at->first;
    }
    return end;
  };
  return stop(arguments_, stop(blocks_, consumed_.StopBehind(range, entries)));
}

void ItemOutcomes::Drop(Dropped* dropped) {
  if (!blocks_.empty()) dropped->AddWhole(std::exchange(blocks_, {}));
  if (!arguments_.empty()) dropped->AddWhole(std::exchange(arguments_, {}));
}

ItemBlockPtr ItemOutcomes::Find(std::uint64_t index) const {
  const auto behind = blocks_.upper_bound(index);
  if (behind == blocks_.begin()) return nullptr;
  const ItemBlockPtr& block = std::prev(behind)->second.block;
  return index - block->first_index < block->result_bytes.size() ? block : nullptr;
}

std::vector<ItemBlockPtr> ItemOutcomes::InOrder() const {
  std::vector<const Kept*> kept;
  for (const auto& [index, one] : blocks_) kept.push_back(&one);
  std::sort(kept.begin(), kept.end(), [](const Kept* a, const Kept* b) { return a->arrival < b->arrival; });
  std::vector<ItemBlockPtr> blocks;
  for (const Kept* one : kept) blocks.push_back(one->block);
  return blocks;
}

const Bytes* ItemOutcomes::FindArguments(std::uint64_t index) const {
  const auto at = arguments_.find(index);
  return at == arguments_.end() ? nullptr : &at->second;
}

std::string ItemOutcomes::Check() const {
  std::uint64_t end = 0;
  for (const auto& [first, kept] : blocks_) {
    if (first < end) return "two blocks of a map have outcomes of the same item";
    end = first + kept.block->result_bytes.size();
    if (consumed_.Covers({first, end})) return "a block of a map is kept that was consumed";
  }
  return "";
}

}  // namespace poold::core
