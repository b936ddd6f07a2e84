// Which ids are known: those of tasks and maps that are kept, and a bounded number of released ones (tombstones).
//
// Performance: clients number their handles one after the other, so neighbouring ids share a block: one look into the
// hash table (a cache miss, with a million handles) serves eight of them, and the blocks used last are at hand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "core/handle.h"
#include "core/slab.h"

namespace poold::core {

class HandleTable {
 public:
  explicit HandleTable(std::uint64_t remembered_ids) : remembered_ids_(remembered_ids) {}

  void Add(const HandleId& id, Handle* handle);
  // `*known` tells whether it is there; null and known is a tombstone.
  Handle* Find(const HandleId& id, bool* known) const;
  // Null if not known, or released.
  Handle* Find(const HandleId& id) const;
  bool IsTombstone(const HandleId& id) const;
  void Forget(const HandleId& id);
  // The id stays as a tombstone, until enough later ones were released.
  void Retire(const HandleId& id);
  std::size_t size() const { return size_; }
  std::size_t blocks() const { return blocks_.size(); }
  std::size_t tombstones() const { return buried_.size(); }

 private:
  static constexpr std::uint64_t kBlock = 16;
  // The ids (high, kBlock * n) to (high, kBlock * n + kBlock - 1).
  struct Block {
    std::uint32_t slot = 0;   // of the slab
    std::uint32_t known = 0;  // a bit for each
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

  const std::uint64_t remembered_ids_;
  std::size_t size_ = 0;
  Slab<Block> blocks_;
  absl::flat_hash_map<HandleId, Block*> by_key_;
  mutable std::array<Recent, 64> recent_;
  std::deque<HandleId> buried_;
};

}  // namespace poold::core
