// What happens when all owners of a pool are gone: see pool/owners.h. And maps whose client will send no more.
#include "core/state.h"

namespace poold::core {

void Core::State::NotePresence(ClientId client, bool present) {
  for (const auto& [id, pool] : pools_with_maps) {
    for (MapRun* map : pool->maps) {
      if (map->group->queue->client == client) NoteMapOwner(*map, present);
    }
  }
  pools.NotePresence(now, client, present);
}

// The items of a map that is not complete come from its client alone. Without it the map would never end.
void Core::State::NoteMapOwner(MapRun& map, bool present) {
  if (map.complete || map.closed || map.ended) return;
  const Nanos until = limits.owner_grace > kNever - now ? kNever : now + limits.owner_grace;
  timers.Set(&map.orphan_timer, present ? kNever : until, TimerKind::kMapOrphan, &map);
}

void Core::State::CloseOrphan(MapRun& map) {
  if (Reach(map)) return;
  const std::shared_ptr<Pool> pool = map.group->pool;
  map.closed = true;
  CheckMapDone(map);
  Reconcile(*pool);
}

void Core::State::OwnersGone(Pool& gone) {
  const std::shared_ptr<Pool> pool = gone.shared_from_this();
  if (pool->spec.on_owner_lost == OwnerLost::kTerminate) {
    TerminatePool(*pool, pool->spec.stop_grace, "its pool's owner is gone");
  } else {
    ClosePool(*pool, /*cancel_queued=*/false);
  }
}

}  // namespace poold::core
