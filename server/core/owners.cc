// Whose pool it is, and what happens when they are all gone. And maps whose client will send no more.
//
// An owner whose sessions have ended may come back within the grace. One that has been away for longer is forgotten
// when another one comes, so that a pool with ever new owners does not remember them all.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

void Core::State::AddOwner(Pool& pool, ClientId owner) {
  if (owner == ClientId{}) {
    pool.kept = true;
    return timers.Clear(&pool.owner_timer);
  }
  if (pool.kept || pool.spec.on_owner_lost == OwnerLost::kKeep) return;  // nobody will ask
  std::erase_if(pool.owners, [&](const Pool::Owner& known) {
    return known.id == owner || (!known.present && now - known.absent_since >= limits.owner_grace);
  });
  pool.owners.push_back({owner});
  timers.Clear(&pool.owner_timer);
}

void Core::State::NotePresence(ClientId client, bool present) {
  for (const auto& [id, pool] : pools) {
    for (MapRun* map : pool->maps) {
      if (map->group->queue->client == client) NoteMapOwner(*map, present);
    }
    if (pool->kept || !pool->dispatches() || pool->spec.on_owner_lost == OwnerLost::kKeep) continue;
    const auto owner = std::find_if(pool->owners.begin(), pool->owners.end(),
                                    [client](const Pool::Owner& known) { return known.id == client; });
    if (owner == pool->owners.end() || owner->present == present) continue;
    owner->present = present;
    owner->absent_since = now;
    const bool lost =
        std::none_of(pool->owners.begin(), pool->owners.end(), [](const Pool::Owner& known) { return known.present; });
    const Nanos until = limits.owner_grace > kNever - now ? kNever : now + limits.owner_grace;
    timers.Set(&pool->owner_timer, lost ? until : kNever, TimerKind::kPoolOwner, pool.get());
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
