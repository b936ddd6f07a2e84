#include "core/pool/owners.h"

#include <algorithm>

namespace poold::core {

std::vector<ClientId> PoolOwners::Add(Nanos now, ClientId owner, Nanos grace) {
  std::vector<ClientId> forgotten;
  for_nobody_ = for_nobody_ || owner == ClientId{};
  std::erase_if(owners_, [&](const Owner& known) {
    if (!for_nobody_ && known.id != owner && (known.present || now - known.absent_since < grace)) return false;
    forgotten.push_back(known.id);
    return true;
  });
  if (!for_nobody_) owners_.push_back({owner});
  return forgotten;
}

std::vector<ClientId> PoolOwners::ids() const {
  std::vector<ClientId> ids;
  for (const Owner& owner : owners_) ids.push_back(owner.id);
  return ids;
}

PoolOwners::Change PoolOwners::NotePresence(Nanos now, ClientId client, bool present) {
  const auto owner =
      std::find_if(owners_.begin(), owners_.end(), [client](const Owner& known) { return known.id == client; });
  if (owner == owners_.end() || owner->present == present) return Change::kNone;
  owner->present = present;
  owner->absent_since = now;
  const bool lost = std::none_of(owners_.begin(), owners_.end(), [](const Owner& known) { return known.present; });
  return lost ? Change::kLost : Change::kPresent;
}

std::string PoolOwners::Check() const {
  if (for_nobody_ && !owners_.empty()) return "a pool that is opened for nobody has owners";
  for (const Owner& owner : owners_) {
    const auto is_it = [&](const Owner& other) { return other.id == owner.id; };
    if (std::count_if(owners_.begin(), owners_.end(), is_it) != 1) return "a pool has an owner twice";
  }
  return "";
}

}  // namespace poold::core
