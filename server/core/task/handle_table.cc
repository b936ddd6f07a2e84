#include "core/task/handle_table.h"

#include <utility>

#include "absl/hash/hash.h"

namespace poold::core {
namespace {

// The table shrinks when it has more buckets than so many for each block, and then as fast as blocks can go.
constexpr std::size_t kBucketsForBlock = 4;
constexpr int kJoinsAtOnce = 4;

}  // namespace

// Those whose bucket is not there yet are in that of the mask before it.
std::size_t HandleTable::BucketOf(const HandleId& key) const {
  const std::size_t place = absl::HashOf(key) & mask_;
  return place < buckets_.size() ? place : place & mask_ >> 1;
}

HandleTable::Block* HandleTable::FindBlock(const HandleId& key) const {
  Recent& recent = RecentOf(key);
  if (recent.block != nullptr && recent.key == key) return recent.block;
  Block* block = buckets_[BucketOf(key)];
  // Who looks for one is likely to look for its neighbours soon.
  __builtin_prefetch(&buckets_[BucketOf({key.high, key.low + 1})]);
  while (block != nullptr && block->key != key) block = block->next;
  if (block != nullptr) recent = {key, block};
  return block;
}

void HandleTable::Link(Block* block) {
  Block*& bucket = buckets_[BucketOf(block->key)];
  block->next = bucket;
  bucket = block;
}

void HandleTable::Unlink(Block* block) {
  Block** at = &buckets_[BucketOf(block->key)];
  while (*at != block) at = &(*at)->next;
  *at = block->next;
}

void HandleTable::Split() {
  const std::size_t last = buckets_.size();
  buckets_.push_back(nullptr);
  if (last > mask_) mask_ = 2 * mask_ + 1;
  Block*& parent = buckets_[last & mask_ >> 1];
  for (Block* block = std::exchange(parent, nullptr); block != nullptr; ++moved_)
    Link(std::exchange(block, block->next));
}

void HandleTable::Join() {
  Block* block = buckets_.back();
  buckets_.pop_back();
  if (buckets_.size() - 1 == mask_ >> 1) mask_ >>= 1;
  for (; block != nullptr; ++moved_) Link(std::exchange(block, block->next));
}

void HandleTable::Add(const HandleId& id, Handle* handle) {
  const HandleId key = KeyOf(id);
  Block* block = FindBlock(key);
  if (block == nullptr) {
    block = blocks_.New();
    block->key = key;
    Link(block);
    RecentOf(key) = {key, block};
    if (blocks_.size() > buckets_.size()) Split();
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
  Unlink(block);
  blocks_.Delete(block);
  for (int i = 0; i < kJoinsAtOnce && buckets_.size() > kBucketsForBlock * blocks_.size() + 1; ++i) Join();
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
