// How many workers a pool has, of each kind.
//
// Role: numbers that are kept up as each worker changes, so that nobody walks over all workers to learn them.
// Non-role: decides nothing.
// Invariant, checked by the simulator after every event: Pool::counts is what a walk over Pool::workers would count.
// One function changes them: Pool::Recount.
#pragma once

#include <cstdint>

namespace poold::core {

// Numbers of workers; of one worker (Worker::counted) each is 0 or 1.
struct WorkerCounts {
  // Starting or ready, and not told to go.
  std::uint64_t live = 0;
  // Of `live`, those that are ready.
  std::uint64_t ready = 0;
  // Of `live`, those that are not to be replaced.
  std::uint64_t staying = 0;
  // Of `live`, those that have run something.
  std::uint64_t used = 0;
  // Ready, those that were told to go among them.
  std::uint64_t all_ready = 0;
  // Of a generation that is being replaced, those that were told to go among them.
  std::uint64_t stale = 0;

  WorkerCounts& operator+=(const WorkerCounts& more) {
    live += more.live;
    ready += more.ready;
    staying += more.staying;
    used += more.used;
    all_ready += more.all_ready;
    stale += more.stale;
    return *this;
  }
  WorkerCounts& operator-=(const WorkerCounts& less) {
    live -= less.live;
    ready -= less.ready;
    staying -= less.staying;
    used -= less.used;
    all_ready -= less.all_ready;
    stale -= less.stale;
    return *this;
  }
  friend bool operator==(const WorkerCounts&, const WorkerCounts&) = default;
};

}  // namespace poold::core
