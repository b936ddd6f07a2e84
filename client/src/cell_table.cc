#include "cell_table.h"

namespace poold::client::internal {

CellTable::Block* CellTable::FindBlock(std::uint64_t key) const {
  Recent& recent = RecentOf(key);
  if (recent.block != nullptr && recent.key == key) return recent.block;
  const auto at = blocks_.find(key);
  if (at == blocks_.end()) return nullptr;
  recent = {key, at->second.get()};
  return recent.block;
}

void CellTable::Add(std::uint64_t number, TaskCell* cell) {
  const std::uint64_t key = number / kBlock;
  Block* block = FindBlock(key);
  if (block == nullptr) block = (blocks_[key] = std::make_unique<Block>()).get();
  TaskCell*& place = block->cells[number % kBlock];
  if (place != nullptr) return;
  place = cell;
  ++block->used;
  ++size_;
}

TaskCell* CellTable::Find(std::uint64_t number) const {
  const Block* const block = FindBlock(number / kBlock);
  return block != nullptr ? block->cells[number % kBlock] : nullptr;
}

void CellTable::Remove(std::uint64_t number) {
  const std::uint64_t key = number / kBlock;
  Block* const block = FindBlock(key);
  if (block == nullptr || block->cells[number % kBlock] == nullptr) return;
  block->cells[number % kBlock] = nullptr;
  --size_;
  if (--block->used > 0) return;
  RecentOf(key) = {};
  blocks_.erase(key);
}

}  // namespace poold::client::internal
