// When the next thing falls due of a task, a chunk or a map: its start, its time-outs.
//
// A run starts when the one before it on the same worker has ended (as we learn it), or when it was sent, if the worker
// had nothing.
// Role: sets their timers. Non-role: ends nothing, and does nothing when one fires.
// Ownership: none; the timers outlive it.
#pragma once

#include "core/handles.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

class Deadlines {
 public:
  explicit Deadlines(Timers* timers) : timers_(timers) {}

  // Each sets the timer anew: call when it is sent or comes back, and when something of its times has changed.
  void ArmTask(Task& task);
  void ArmChunk(Chunk& chunk);
  // `now`: of the present event.
  void ArmMap(MapRun& map, Nanos now);
  void Clear(Task& task) { timers_->Clear(&task.timer); }
  void Clear(Chunk& chunk) { timers_->Clear(&chunk.timer); }
  // The moment at which the item that comes next is too late. REQUIRES: items are ready.
  static Nanos LatestStart(const MapRun& map);

 private:
  Timers* const timers_;
};

}  // namespace poold::core
