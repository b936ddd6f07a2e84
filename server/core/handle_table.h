// Which ids are known: those of tasks and maps that are kept, and a bounded number of released ones (tombstones).
#pragma once

#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "core/handle.h"

namespace poold::core {

class HandleTable {
 public:
  explicit HandleTable(std::uint64_t remembered_ids) : remembered_ids_(remembered_ids) {}

  // The place of a new id, valid until the next change of the table.
  Handle** NewPlace(const HandleId& id) { return &handles_[id]; }
  // `*known` tells whether it is there; null and known is a tombstone.
  Handle* Find(const HandleId& id, bool* known) const;
  // Null if not known, or released.
  Handle* Find(const HandleId& id) const;
  bool IsTombstone(const HandleId& id) const;
  void Forget(const HandleId& id) { handles_.erase(id); }
  // The id stays as a tombstone, until enough later ones were released.
  void Bury(const HandleId& id);
  std::size_t size() const { return handles_.size(); }
  std::size_t tombstones() const { return buried_.size(); }

 private:
  const std::uint64_t remembered_ids_;
  absl::flat_hash_map<HandleId, Handle*> handles_;
  std::deque<HandleId> buried_;
};

}  // namespace poold::core
