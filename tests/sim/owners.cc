// Why pools ended: somebody said so, their owners are gone, or their workers are.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

// REQUIRES: the core took it.
void World::NoteOpened(const PoolSpec& spec, ClientId owner) {
  const Pool* pool = FindPool(spec.name);
  if (pool == nullptr) return ledger_.Wrong("a pool was opened, and is not there");
  const auto [at, added] = ledger_.pools.try_emplace(pool->id);
  KnownPool& known = at->second;
  if (added) known.spec = spec;
  if (added && Chance(20)) page_less_.insert(pool->id);
  if (owner == ClientId{}) {
    known.kept = true;
    return;
  }
  // Those that have been away for too long are forgotten.
  std::erase_if(known.owners,
                [this](const auto& old) { return old.second != kNever && now_ - old.second >= limits_.owner_grace; });
  known.owners[owner] = kNever;
}

void World::NotePresence(const Client& client) {
  for (auto& [id, known] : ledger_.pools) {
    const auto owner = known.owners.find(client.id);
    if (owner != known.owners.end()) owner->second = client.present ? kNever : now_;
  }
  for (auto& [id, map] : ledger_.handles) {
    const bool lost = map.orphan_since != kNever && now_ - map.orphan_since >= limits_.owner_grace;
    if (map.client != client.id || !map.is_map || map.complete || lost) continue;
    map.orphan_since = client.present ? kNever : now_;
  }
}

// Its client left, and it gets no more items: it ends with those that it has, but not before its client is lost.
void World::CheckOrphan(const KnownHandle& known, const MapRun& map) {
  if (known.complete || map.ended() || core_.NextTimer() <= now_) return;
  const bool lost = known.orphan_since != kNever && now_ - known.orphan_since >= limits_.owner_grace;
  if (lost && map.life == MapLife::kOpen) ledger_.Wrong("a map waits for items of a client that is gone");
  if (!lost && map.life == MapLife::kClosed && map.group->pool->state == PoolState::kRunning) {
    ledger_.Wrong("a map was closed, and nobody knows why");
  }
}

void World::CheckOwners() {
  if (!peer_.MapsAreListed()) ledger_.Wrong("pools that have maps are not listed as a walk finds them");
  for (auto& [id, known] : ledger_.pools) {
    const Pool* pool = FindPool(id);
    if (pool == nullptr || known.owner_lost) continue;
    Nanos last_left = 0;
    for (const auto& [owner, absent_since] : known.owners) last_left = std::max(last_left, absent_since);
    known.owner_lost = !known.kept && !known.owners.empty() && last_left != kNever &&
                       now_ - last_left >= limits_.owner_grace && known.spec.on_owner_lost != OwnerLost::kKeep;
    // What is due now was done before.
    const bool closing = pool->state == PoolState::kClosing && known.spec.on_owner_lost == OwnerLost::kClose;
    if (known.owner_lost && pool->dispatches() && !closing && core_.NextTimer() > now_) {
      ledger_.Wrong("pool " + known.spec.name + " goes on although its last owner is gone");
    }
  }
}

void World::CheckWhyEnded(const Pool& pool, const KnownPool& known) {
  const bool lost = known.owner_lost;
  bool why = true;
  switch (pool.state) {
    case PoolState::kClosing:
    case PoolState::kClosed:
      why = known.close_asked || (lost && known.spec.on_owner_lost == OwnerLost::kClose);
      break;
    case PoolState::kTerminating:
    case PoolState::kTerminated:
      why = known.terminate_asked || (lost && known.spec.on_owner_lost == OwnerLost::kTerminate);
      break;
    case PoolState::kFailed:
      // What ran does not fail for what does not start, unless it is to end.
      why = known.broken || (known.start_failures >= 4 && (!pool.has_run || known.close_asked || lost));
      break;
    default:
      break;
  }
  if (!why) {
    ledger_.Wrong("nobody knows why pool " + pool.spec.name + " is in state " +
                  std::to_string(static_cast<int>(PoolState{pool.state})));
  }
}

}  // namespace poold::core::sim
