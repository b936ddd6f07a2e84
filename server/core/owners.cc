// What happens when all owners of a pool are gone: see pool/owners.h. And maps whose client will send no more.
#include "core/state.h"

namespace poold::core {

void Core::State::AddOwner(Pool& pool, ClientId owner) {
  if (pool.spec.on_owner_lost == OwnerLost::kKeep) return;  // nobody will ask
  for (const ClientId forgotten : pool.owners.Add(now, owner, limits.owner_grace)) {
    owned_pools.erase({forgotten, pool.id});
  }
  if (!pool.owners.for_nobody()) owned_pools.insert({owner, pool.id});
  timers.Clear(&pool.owner_timer);
}

void Core::State::NotePresence(ClientId client, bool present) {
  for (const auto& [id, pool] : pools_with_maps) {
    for (MapRun* map : pool->maps) {
      if (map->group->queue->client == client) NoteMapOwner(*map, present);
    }
  }
  for (auto at = owned_pools.lower_bound({client, PoolId{}}); at != owned_pools.end() && at->first == client; ++at) {
    Pool* const pool = pools.at(at->second).get();
    if (!pool->dispatches() || pool->spec.on_owner_lost == OwnerLost::kKeep) continue;
    const PoolOwners::Change change = pool->owners.NotePresence(now, client, present);
    if (change == PoolOwners::Change::kNone) continue;
    const bool lost = change == PoolOwners::Change::kLost;
    timers.Set(&pool->owner_timer, lost ? After(now, limits.owner_grace) : kNever, TimerKind::kPoolOwner, pool);
  }
}

// The items of a map that is not complete come from its client alone. Without it the map would never end.
void Core::State::NoteMapOwner(MapRun& map, bool present) {
  if (map.complete || map.closed || map.ended) return;
  const Nanos until = limits.owner_grace > kNever - now ? kNever : now + limits.owner_grace;
  timers.Set(&map.orphan_timer, present ? kNever : until, TimerKind::kMapOrphan, &map);
}

void Core::State::CloseOrphan(MapRun& map) {
  const std::shared_ptr<Pool> pool = pools.at(map.group->pool->id);
  map.closed = true;
  CheckMapDone(map);
  Reconcile(*pool);
}

void Core::State::OwnersGone(Pool& gone) {
  const std::shared_ptr<Pool> pool = pools.at(gone.id);
  if (pool->spec.on_owner_lost == OwnerLost::kTerminate) {
    TerminatePool(*pool, pool->spec.stop_grace, "its pool's owner is gone");
  } else {
    ClosePool(*pool, /*cancel_queued=*/false);
  }
}

}  // namespace poold::core
