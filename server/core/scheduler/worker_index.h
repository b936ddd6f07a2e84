// The workers of one pool, found by how much they have to do.
//
// Role: answers which worker has the least and may get more, and which has the most that another one may take, without
// looking at all of them. Non-role: decides nothing about the work itself, and sends nothing.
// How: whoever changes what a worker has, or what it is, calls Touch, which takes a moment. The next question first
// puts the workers that were touched since in their places (O(log n) each), so a worker that changes often between two
// questions is put in its place once.
// Time: `now` never goes back.
// Ownership: workers are the core's; Remove before one is gone.
// Invariants, checked by Check against a walk over all workers (by the simulator after every event): a worker that was
// not touched lies in exactly the orders that its state says, under the right number; one that takes more is missing
// only while its present task makes no progress.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/scheduler/worker_order.h"
#include "core/types.h"
#include "core/worker.h"

namespace poold::core {

class WorkerIndex {
 public:
  // `max_prefetch`: Limits::max_prefetch.
  explicit WorkerIndex(std::uint32_t max_prefetch) : max_prefetch_(max_prefetch) {}

  // Something of the worker has changed: what it has, how far it is, whether it takes work, whether it is to be
  // replaced.
  void Touch(Worker& worker) {
    if (worker.touched != kBoth) List(worker);
  }
  // The worker goes.
  void Remove(Worker& worker);

  // Of workers that have something and may get more (TakesMore), and that have made progress within kPatience: the one
  // with the least to do; among equals the one that was started first. Null: there is none. `staying_only`: passes over
  // workers that are to be replaced.
  Worker* LeastLoaded(Nanos now, bool staying_only);
  // Of workers that another one may take from now (WorkToTakeAt): the one with the most to do; among equals the one
  // that was started first. Null: there is none.
  Worker* Victim(Nanos now);
  // Until then Victim answers null, if no worker gets more; 0: it would answer now.
  Nanos NextVictimAt(Nanos now);
  // Workers that have something of a lower priority than `priority` (Worker::lowest) which they may not have begun
  // (HoldsAhead), in the order of their starts.
  std::vector<Worker*> HoldersBelow(int priority, Nanos now);
  // Workers that hold something behind what they run, or can divide it, and have made no progress since `since`; in the
  // order of their starts.
  std::vector<Worker*> Waiting(Nanos since, Nanos now);

  // The first invariant that does not hold, in words; empty: all do. `workers`: all of the pool.
  std::string Check(const std::vector<Worker*>& workers, Nanos now) const;

 private:
  // Of Worker::places.
  enum Which : std::uint8_t { kStaying, kLeaving, kRipe, kUnripe, kHolders, kWaiting };

  // Of Worker::touched: the orders by load, and those of what may be taken.
  enum Touched : std::uint8_t { kLoads = 1, kAhead = 2, kBoth = 3 };

  void List(Worker& worker);
  static void Unlist(std::vector<Worker*>& touched, Worker& worker);
  // Put the workers that were touched in their places.
  void SettleLoads();
  void SettleAhead(Nanos now);
  // The first worker of the order that makes progress. Those before it are left out until they are touched.
  static Worker* FirstMoving(WorkerOrder& order, Nanos now);
  // What others may take from now on is moved from `unripe_` to `ripe_`.
  void Ripen(Nanos now);
  bool IsInPlace(const Worker& worker, Nanos now) const;
  bool LoadIsInPlace(const Worker& worker, Nanos now) const;
  bool AheadIsInPlace(const Worker& worker, Nanos now) const;

  const std::uint32_t max_prefetch_;
  // Those that have these bits in Worker::touched.
  std::vector<Worker*> touched_loads_;
  std::vector<Worker*> touched_ahead_;
  // Workers that take more and are not to be replaced, by nanoseconds of work.
  WorkerOrder staying_{kStaying};
  // Workers that take more and are to be replaced, by nanoseconds of work.
  WorkerOrder leaving_{kLeaving};
  // Workers that others may take from, the most nanoseconds of work first.
  WorkerOrder ripe_{kRipe};
  // Workers that others may take from later, by that moment.
  WorkerOrder unripe_{kUnripe};
  // Workers that hold something ahead, by the lowest priority of what they have.
  WorkerOrder holders_{kHolders};
  // Workers of which something waits (HoldsWaiting), by when they last made progress.
  WorkerOrder waiting_{kWaiting};
};

}  // namespace poold::core
