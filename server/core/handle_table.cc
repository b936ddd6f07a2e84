#include "core/handle_table.h"

namespace poold::core {

Handle* HandleTable::Find(const HandleId& id, bool* known) const {
  const auto at = handles_.find(id);
  *known = at != handles_.end();
  return *known ? at->second : nullptr;
}

Handle* HandleTable::Find(const HandleId& id) const {
  const auto at = handles_.find(id);
  return at == handles_.end() ? nullptr : at->second;
}

bool HandleTable::IsTombstone(const HandleId& id) const {
  const auto at = handles_.find(id);
  return at != handles_.end() && at->second == nullptr;
}

void HandleTable::Bury(const HandleId& id) {
  if (remembered_ids_ == 0) return Forget(id);
  handles_[id] = nullptr;
  buried_.push_back(id);
  if (buried_.size() > remembered_ids_) {
    Forget(buried_.front());
    buried_.pop_front();
  }
}

}  // namespace poold::core
