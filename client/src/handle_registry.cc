#include "handle_registry.h"

namespace poold::client::internal {

HandleRegistry::Block* HandleRegistry::FindBlock(std::uint64_t key) const {
  Recent& recent = RecentOf(key);
  if (recent.block != nullptr && recent.key == key) return recent.block;
  const auto at = blocks_.find(key);
  if (at == blocks_.end()) return nullptr;
  recent = {key, at->second.get()};
  return recent.block;
}

void HandleRegistry::Add(std::uint64_t number, TaskHandleState* cell) {
  const std::uint64_t key = number / kBlock;
  Block* block = FindBlock(key);
  if (block == nullptr) block = (blocks_[key] = std::make_unique<Block>()).get();
  TaskHandleState*& place = block->cells[number % kBlock];
  if (place != nullptr) return;
  place = cell;
  ++block->used;
  ++size_;
}

TaskHandleState* HandleRegistry::Find(std::uint64_t number) const {
  const Block* const block = FindBlock(number / kBlock);
  return block != nullptr ? block->cells[number % kBlock] : nullptr;
}

void HandleRegistry::Remove(std::uint64_t number) {
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
