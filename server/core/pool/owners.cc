#include "core/pool/owners.h"

#include <algorithm>

namespace poold::core {

void PoolOwners::Add(Nanos now, ClientId owner, Nanos grace) {
  if (owner == ClientId{}) {
    for_nobody_ = true;
    owners_.clear();
  }
  if (for_nobody_) return;
  std::erase_if(owners_, [&](const Owner& known) {
    return known.id == owner || (!known.present && now - known.absent_since >= grace);
  });
  owners_.push_back({owner});
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
