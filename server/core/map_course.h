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
      : owner_grace_(limits.owner_grace),
        slice_(limits.slice),
        now_(*now),
        random_(*random),
        timers_(*timers),
        scheduler_(*scheduler),
        delivery_(*delivery),
        endings_(*endings),
        dropped_(*dropped) {}

  // Ends the map if nothing is left to do. Call when something of it has come, or has ended. May forget it at once.
  void CheckDone(MapRun& map);

  // ---- What its client does ----
  // Items were appended, or it became complete.
  void HasGrown(MapRun& map);
  // It was refused when it came: nobody heard of it.
  void Withdraw(MapRun& map);
  // It takes no more items, and ends with those that it has.
  void Close(MapRun& map);
  // Nothing more of it is sent; what was not begun comes back and is cancelled. The caller calls CheckDone.
  void Cut(MapRun& map);
  // True: it is, or will be, CANCELLED. `running`: also items that run.
  bool Cancel(MapRun& map, bool running);
  // A part of what Cut does, for maps that have any number of parts: `*left` of them, at most, which is taken from it.
  // True: nothing of it waits any more.
  bool CutSome(MapRun& map, std::size_t* left);
  // Ends it at once, whatever runs. REQUIRES: nothing of it begins any more on a worker.
  void Abandon(MapRun& map);
  // Without its client a map that is not complete would never end: it is closed after a while.
  void NoteOwner(MapRun& map, bool present);

  // ---- What workers do ----
  // Items of a chunk, as Core::OnItemResults. REQUIRES: they are the next ones of the chunk.
  void TakeResults(Chunk& chunk, ItemBlock items, Nanos elapsed);
  // Its worker is gone. `guilty`: it had begun there. The chunk is gone.
  void Lose(Chunk& chunk, bool guilty, const WorkerLoss& loss);
  // Items that wait, none of which can run, end so.
  void EndReady(MapRun& map, const OutcomePtr& outcome);

  // ---- Timers ----
  void ChunkDue(Chunk& chunk);
  // False: nothing has changed.
  bool MapDue(MapRun& map);
  void RetryDue(ItemRetry& retry);

  const MapLives& maps() const { return map_lives_; }
  const ChunkLives& chunks() const { return chunk_lives_; }
  // Bug for the simulator to find: does not count what may have been begun without a claim page.
  void PlantForgetTries(bool forget) { forget_tries_ = forget; }
  // The first invariant that does not hold; empty if all do.
  static std::string Check(const MapRun& map);

 private:
  void MarkCut(MapRun& map);
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

  const Nanos owner_grace_;
  const std::size_t slice_;  // items that one event looks at, where there may be any number
  const Nanos& now_;
  std::mt19937_64& random_;
  Timers& timers_;
  Scheduler& scheduler_;
  Delivery& delivery_;
  Endings& endings_;
  Dropped& dropped_;
  MapLives map_lives_;
  ChunkLives chunk_lives_;
  bool forget_tries_ = false;
};

}  // namespace poold::core
