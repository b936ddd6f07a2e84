// The table of known ids: those of tasks and maps that are kept, and a bounded number of released ones (tombstones).
//
// Role: finds a handle by its id, and tells a released id from an unknown one. Non-role: owns no handle. Thread safety:
// none; used under the core's mutex.
// Performance: clients number their handles one after the other, so neighbouring ids share a block: one look into the
// hash table (a cache miss, with a million handles) serves sixteen of them, and the blocks used last are at hand. The
// table grows and shrinks by a bucket with the block that comes or goes (linear hashing): no insertion moves more than
// the blocks of one bucket, however large the table is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/handle.h"
#include "core/slab.h"
#include "core/stepped_vector.h"

namespace poold::core {

class HandleTable {
 public:
  explicit HandleTable(std::uint64_t remembered_ids) : remembered_ids_(remembered_ids) { buckets_.push_back(nullptr); }

  // REQUIRES: the id is not known.
  void Add(const HandleId& id, Handle* handle);
  // `*known`: whether the id is known. Null and known: the id is a tombstone.
  Handle* Find(const HandleId& id, bool* known) const;
  // The handle; null: the id is not known, or a tombstone.
  Handle* Find(const HandleId& id) const;
  bool IsTombstone(const HandleId& id) const;
  // The id is not known any more, not even as a tombstone.
  void Forget(const HandleId& id);
  // The id becomes a tombstone, until `remembered_ids` later ones were released.
  void Retire(const HandleId& id);
  // Known ids, tombstones among them.
  std::size_t size() const { return size_; }
  std::size_t blocks() const { return blocks_.size(); }
  std::size_t buckets() const { return buckets_.size(); }
  std::size_t tombstones() const { return buried_.size(); }
  // How many blocks were looked at so far because the table grew or shrank.
  std::uint64_t moved() const { return moved_; }

 private:
  static constexpr std::uint64_t kBlock = 16;
  // The ids (key.high, kBlock * key.low) to (key.high, kBlock * key.low + kBlock - 1).
  struct Block {
    // Set by the slab that it lies in.
    std::uint32_t slot = 0;
    // A bit for each id of the block that is known.
    std::uint32_t known = 0;
    HandleId key;
    // The next block of the same bucket.
    Block* next = nullptr;
    std::array<Handle*, kBlock> handles{};
  };
  struct Recent {
    HandleId key;
    Block* block = nullptr;
  };

  static HandleId KeyOf(const HandleId& id) { return {id.high, id.low / kBlock}; }
  Recent& RecentOf(const HandleId& key) const { return recent_[(key.low ^ key.high) % recent_.size()]; }
  // Null if none of its ids is known.
  Block* FindBlock(const HandleId& key) const;
  std::size_t BucketOf(const HandleId& key) const;
  void Link(Block* block);
  void Unlink(Block* block);
  // One bucket more, one less: half of an older one goes there, or comes back.
  void Split();
  void Join();

  const std::uint64_t remembered_ids_;
  std::size_t size_ = 0;
  Slab<Block> blocks_;
  SteppedVector<Block*> buckets_;  // never empty
  std::size_t mask_ = 0;           // the least 2^n - 1 that is at least buckets_.size() - 1
  std::uint64_t moved_ = 0;
  mutable std::array<Recent, 64> recent_;
  std::deque<HandleId> buried_;
};

}  // namespace poold::core
