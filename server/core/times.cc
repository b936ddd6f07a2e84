// What falls due.
#include "core/state.h"

namespace poold::core {

void Core::State::RunTimer(const DueTimer& due, std::size_t* left) {
  switch (due.kind) {
    case TimerKind::kTask:
      return TaskDue(*static_cast<Task*>(due.owner));
    case TimerKind::kMap:
      return MapDue(*static_cast<MapRun*>(due.owner));
    case TimerKind::kChunk:
      return ChunkDue(*static_cast<Chunk*>(due.owner));
    case TimerKind::kItemRetry:
      return ItemRetryDue(*static_cast<ItemRetry*>(due.owner));
    case TimerKind::kWait:
      return WaitDue(static_cast<Wait*>(due.owner));
    case TimerKind::kMapOrphan:
      return CloseOrphan(*static_cast<MapRun*>(due.owner));
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
      return ReleaseOld(*static_cast<ClientQuota*>(due.owner), left);
  }
}

}  // namespace poold::core
