// The course of a map: what results, time limits, cancels and the deaths of workers make of it and of its items.
//
// Role: moves the lives of maps and of their chunks, records how items end, and tries them again. Non-role: chooses no
// worker, keeps no outcome, and does not look whether something else can run now: its callers do.
// Ownership: none; whatever is named in the constructor outlives it.
// Invariants (Check): those of MapItems and ItemOutcomes; a map that has something to end with has not ended.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "core/core.h"
#include "core/delivery.h"
#include "core/endings.h"
#include "core/handles.h"
#include "core/scheduler/scheduler.h"
#include "core/timers.h"

namespace poold::core {

class MapCourse {
 public:
  MapCourse(const Limits& limits, const Nanos* now, std::mt19937_64* random, Timers* timers, Scheduler* scheduler,
            Delivery* delivery, Endings* endings, Dropped* dropped)
      : slice_(limits.slice),
        now_(*now),
        random_(*random),
        timers_(*timers),
        scheduler_(*scheduler),
        delivery_(*delivery),
        endings_(*endings),
        dropped_(*dropped),
        open_(limits.owner_grace, timers) {}

  // Ends the map if nothing is left to do. Call when something of it has come, or has ended. May forget the map at
  // once.
  void CheckDone(MapRun& map);

  // ---- What its client does ----
  // Items were appended, or the map became complete: queues it, and ends it if nothing is left.
  void HasGrown(MapRun& map);
  // The map was refused when it came: ends it, and nobody hears of it.
  void Withdraw(MapRun& map);
  // The map takes no more items, and ends with those that it has. Nothing happens unless it is kOpen.
  void Close(MapRun& map);
  // Nothing more of the map is sent; items that had not begun come back and are cancelled. The caller calls CheckDone.
  void Cut(MapRun& map);
  // As Cut; with `running` the workers of items that run are killed, too. True: the map is, or will be, CANCELLED.
  bool Cancel(MapRun& map, bool running);
  // A part of what Cut does, for maps that have any number of parts: a step each. True: nothing of the map waits any
  // more.
  bool CutSome(MapRun& map, Steps* steps);
  // Ends the map at once, whatever runs. REQUIRES: nothing of it begins any more on a worker.
  void Abandon(MapRun& map);
  // Maps that may get more items. Whoever is told of one that its client lost closes it.
  OpenMaps& open() { return open_; }
  const OpenMaps& open() const { return open_; }

  // ---- What workers do ----
  // Outcomes of items of the chunk, as Core::OnItemResults. Ends the chunk with its last item. REQUIRES: they are the
  // next ones of the chunk.
  void TakeResults(Chunk& chunk, ItemBlock items, Nanos elapsed);
  // The worker of the chunk has ended. `guilty`: the chunk, or its item `loss.guilty_item`, had begun there. Ends the
  // chunk.
  void Lose(Chunk& chunk, bool guilty, const WorkerLoss& loss);
  // Ends items that could be sent with this outcome, a step each. False: some are left.
  bool EndReady(MapRun& map, const OutcomePtr& outcome, Steps* steps);

  // ---- Timers ----
  // TimerKind::kChunk: the present item is over its time, so its worker is killed.
  void ChunkDue(Chunk& chunk);
  // TimerKind::kMap: items whose time to start is over expire. False: nothing has changed.
  bool MapDue(MapRun& map);
  // TimerKind::kItemRetry: the item may be sent again.
  void RetryDue(ItemRetry& retry);

  // Transitions that were made so far, for the simulator.
  const MapLives& maps() const { return map_lives_; }
  const ChunkLives& chunks() const { return chunk_lives_; }
  // Bug for the simulator to find: does not count what may have been begun without a claim page.
  void PlantForgetTries(bool forget) { forget_tries_ = forget; }
  // The first invariant that does not hold; empty if all do.
  static std::string Check(const MapRun& map);

 private:
  void MarkCut(MapRun& map);
  void TakesNoMore(MapRun& map) { open_.Remove(map.group->queue->client, &map.open); }
  void End(MapRun& map);
  // Items that are ready wait no more. REQUIRES: there are some.
  ItemRange TakeReady(MapRun& map, std::uint64_t most);
  void DropNext(MapRun& map);
  void DropReady(MapRun& map);
  void DropRetry(MapRun& map, ItemRetry& retry);
  void ExpireReady(MapRun& map);
  void GiveBack(MapRun& map, ItemRange range, std::uint32_t attempts, bool split);
  // One outcome for all items of the range, which are in no chunk.
  void EndItems(MapRun& map, ItemRange range, const OutcomePtr& outcome);
  void Record(MapRun& map, ItemBlock block);
  void RecordItem(MapRun& map, std::uint64_t index, OutcomePtr outcome);
  ItemBlock RetryItemsOf(MapRun& map, ItemBlock items, std::uint32_t attempt);
  bool RetryItem(MapRun& map, std::uint64_t index, std::uint32_t attempt, TaskState state, bool death);

  // Items that one event looks at, where there may be any number.
  const std::size_t slice_;
  const Nanos& now_;
  std::mt19937_64& random_;
  Timers& timers_;
  Scheduler& scheduler_;
  Delivery& delivery_;
  Endings& endings_;
  Dropped& dropped_;
  OpenMaps open_;
  MapLives map_lives_;
  ChunkLives chunk_lives_;
  bool forget_tries_ = false;
};

}  // namespace poold::core
