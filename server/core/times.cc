// What falls due.
#include "core/state.h"

namespace poold::core {

void Core::State::RunTimer(const DueTimer& due) {
  switch (due.kind) {
    case TimerKind::kTask: {
      Task& task = *static_cast<Task*>(due.owner);
      if (ReachAsked(task)) return;
      const std::shared_ptr<Pool> pool = task.group->pool;
      tasks.Due(task);
      return Reconcile(*pool);
    }
    case TimerKind::kMap: {
      MapRun& map = *static_cast<MapRun*>(due.owner);
      if (ReachAsked(map)) return;
      const std::shared_ptr<Pool> pool = map.group->pool;
      return maps.MapDue(map) ? Reconcile(*pool) : void();
    }
    case TimerKind::kChunk: {
      Chunk& chunk = *static_cast<Chunk*>(due.owner);
      const std::shared_ptr<Pool> pool = chunk.map->group->pool;
      if (pool->sweep == Sweep::kAll) return;
      maps.ChunkDue(chunk);
      return Reconcile(*pool);
    }
    case TimerKind::kItemRetry: {
      ItemRetry& retry = *static_cast<ItemRetry*>(due.owner);
      const std::shared_ptr<Pool> pool = retry.map->group->pool;
      if (pool->cancels()) return;  // it goes with the map
      maps.RetryDue(retry);
      return Reconcile(*pool);
    }
    case TimerKind::kWait:
      return WaitDue(static_cast<Wait*>(due.owner));
    case TimerKind::kMapOrphan:
      return CloseLostMaps(static_cast<OpenMaps::Client*>(due.owner)->id);
    case TimerKind::kPoolStart:
      staffing.RetryStart(*static_cast<Generation*>(due.owner));
      return Reconcile(*static_cast<Generation*>(due.owner)->pool);
    case TimerKind::kPoolBreakers:
      scheduler.BreakersDue(*static_cast<Pool*>(due.owner));
      return Reconcile(*static_cast<Pool*>(due.owner));
    case TimerKind::kPoolWatchful:
      scheduler.TakeBackWaiting(*static_cast<Pool*>(due.owner));
      return Reconcile(*static_cast<Pool*>(due.owner));
    case TimerKind::kPoolOwner:
      return OwnersGone(*static_cast<Pool*>(due.owner));
    case TimerKind::kWorkerAge:
      if (!staffing.WearOut(*static_cast<Worker*>(due.owner))) return;
      return Reconcile(*std::shared_ptr<Pool>(static_cast<Worker*>(due.owner)->pool));
    case TimerKind::kOutcomes:
      endings.kept().Due(now, *static_cast<ClientQuota*>(due.owner), &steps);
      return WakeClients();
  }
}

}  // namespace poold::core
