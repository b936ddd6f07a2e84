#include "core/handle_table.h"

namespace poold::core {

HandleTable::Block* HandleTable::FindBlock(const HandleId& key) const {
  Recent& recent = RecentOf(key);
  if (recent.block != nullptr && recent.key == key) return recent.block;
  const auto at = by_key_.find(key);
  // Who looks for one is likely to look for its neighbours soon.
  by_key_.prefetch(HandleId{key.high, key.low + 1});
  if (at == by_key_.end()) return nullptr;
  recent = {key, at->second};
  return at->second;
}

void HandleTable::Add(const HandleId& id, Handle* handle) {
  const HandleId key = KeyOf(id);
  Block* block = FindBlock(key);
  if (block == nullptr) {
    block = blocks_.New();
    by_key_.emplace(key, block);
    RecentOf(key) = {key, block};
  }
  block->known |= 1u << id.low % kBlock;
  block->handles[id.low % kBlock] = handle;
  ++size_;
}

Handle* HandleTable::Find(const HandleId& id, bool* known) const {
  const Block* block = FindBlock(KeyOf(id));
  *known = block != nullptr && (block->known >> id.low % kBlock & 1) != 0;
  return *known ? block->handles[id.low % kBlock] : nullptr;
}

Handle* HandleTable::Find(const HandleId& id) const {
  bool known = false;
  return Find(id, &known);
}

bool HandleTable::IsTombstone(const HandleId& id) const {
  bool known = false;
  return Find(id, &known) == nullptr && known;
}

void HandleTable::Forget(const HandleId& id) {
  const HandleId key = KeyOf(id);
  Block* block = FindBlock(key);
  if (block == nullptr || (block->known >> id.low % kBlock & 1) == 0) return;
  block->known &= ~(1u << id.low % kBlock);
  block->handles[id.low % kBlock] = nullptr;
  --size_;
  if (block->known != 0) return;
  RecentOf(key) = {};
  by_key_.erase(key);
  blocks_.Delete(block);
}

void HandleTable::Retire(const HandleId& id) {
  if (remembered_ids_ == 0) return Forget(id);
  FindBlock(KeyOf(id))->handles[id.low % kBlock] = nullptr;
  buried_.push_back(id);
  if (buried_.size() > remembered_ids_) {
    Forget(buried_.front());
    buried_.pop_front();
  }
}

}  // namespace poold::core
