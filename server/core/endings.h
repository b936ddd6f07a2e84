// The ends of tasks and maps: all who wait are told, what came of them is kept while somebody may want it, and then
// they are forgotten.
//
// Arguments are kept until their task ended, and after that if it did not succeed: so that it can be looked at and
// tried elsewhere. What is kept after the end counts as a part of the outcome and goes with it. It never takes more
// than half of the room for outcomes, or of the floor of a client that is present, so that it stops no dispatch by
// itself.
//
// Role: counts what is kept of each handle, makes it known to clients, and forgets what is released, too old, or has to
// make way. Non-role: decides not how or when something ends; wakes no client that has room again.
// Ownership: owns the kept outcomes; handles are the store's. Whatever is named in the constructor outlives it.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <string>

#include "core/core.h"
#include "core/delivery.h"
#include "core/dropped.h"
#include "core/handles.h"
#include "core/outcome/kept_outcomes.h"
#include "core/scheduler/scheduler.h"
#include "core/steps.h"
#include "core/subscribe/waits.h"
#include "core/task/handle_store.h"

namespace poold::core {

class Endings final : public OutcomesListener, public WaitsListener {
 public:
  // `now`: the time of the present event.
  Endings(const Limits& limits, const Nanos* now, ClientPort* port, Timers* timers, HandleStore* store,
          Delivery* delivery, Waits* waits, const Scheduler* scheduler, Dropped* dropped)
      : half_of_room_(limits.max_kept_outcome_bytes / 2),
        now_(*now),
        timers_(*timers),
        store_(*store),
        delivery_(*delivery),
        waits_(*waits),
        scheduler_(*scheduler),
        dropped_(*dropped),
        kept_(limits.max_kept_outcome_bytes, limits.outcome_ttl, port, timers, this) {}

  // ---- Groups ----
  // Gives up one reference to the group. The last one ends it, and with it perhaps the line and the client.
  void LeaveGroup(Group& group);

  // ---- What ends ----
  // Tells the end, and keeps the outcome. REQUIRES, all: the handle is in no list, and its life has ended just now. May
  // forget it at once.
  void TaskEnded(Task& task);
  void MapEnded(MapRun& map);
  // Keeps the arguments of a task that ends with an outcome, or lets go of them. Before TaskEnded.
  void KeepArguments(Task& task);
  // Gives the arguments memory of their own, so that they do not keep alive the whole message that brought them.
  void OwnArguments(Task& task);
  // Keeps outcomes of items until they are consumed. REQUIRES: MapItems::NoteDone was not told yet.
  void KeepBlock(MapRun& map, const ItemBlockPtr& block);
  // The map was refused when it came: its id is not remembered. Before MapEnded.
  void Withdraw(MapRun& map) { store_.Withdraw(map); }
  // So many bytes came of this handle just now: others may have to make way for them, or the map itself.
  void MakeRoom(Handle& came, std::uint64_t bytes);

  // ---- What goes ----
  // The client needs these items no more. A step for each thing that goes; returns the items that were not reached.
  ItemRange Consume(MapRun& map, ItemRange range, Steps* steps);
  // Drops what is kept of the handle; nobody can name it any more. A handle that has not ended goes on, and is freed at
  // its end.
  void Forget(Handle& handle);

  KeptOutcomes& kept() { return kept_; }
  const KeptOutcomes& kept() const { return kept_; }
  // Bug for the simulator to find: drops also outcomes that somebody waits for.
  void PlantDropAwaited(bool drop_awaited) { drop_awaited_ = drop_awaited; }

 private:
  // OutcomesListener.
  Nanos EndedAt(const Node& handle) const override;
  std::uint64_t KeptBytes(const Node& handle) const override;
  bool IsAwaited(const Node& handle) const override;
  void WasSetAside(Node& handle) override;
  void Drop(Node& handle) override;
  void Expire(Node& handle) override;
  // WaitsListener.
  void NobodyWaits(Handle& handle) override;

  static ClientQuota& QuotaOf(const Handle& handle) { return *handle.group->queue->quota; }
  void Count(Handle& handle, std::uint64_t bytes, std::uint64_t outcomes);
  void Uncount(Handle& handle, std::uint64_t bytes, std::uint64_t outcomes);
  void UncountBlock(MapRun& map, const ItemBlock& gone);
  bool HasRoomForArguments(const Handle& handle, std::uint64_t bytes) const;
  void KeepItemArguments(MapRun& map, const ItemBlock& block);
  void DropItemArguments(MapRun& map, ItemRange range);
  void TellEnd(Handle& handle);
  void Free(Handle& handle);
  void ListRunning(MapRun& map);

  const std::uint64_t half_of_room_;  // bytes
  const Nanos& now_;
  Timers& timers_;
  HandleStore& store_;
  Delivery& delivery_;
  Waits& waits_;
  const Scheduler& scheduler_;
  Dropped& dropped_;
  KeptOutcomes kept_;
  bool drop_awaited_ = false;
};

}  // namespace poold::core
