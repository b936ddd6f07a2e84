// Everything that falls due: a heap of moments, from which one can be taken out again.
//
// Role: keeps (moment, kind, owner), earliest first; equal moments in the order in which they were set. Non-role: knows
// nothing of what is due, and fires nothing by itself. Memory is that of the timers that are set; it grows in steps.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstdint>

#include "core/stepped_vector.h"
#include "core/types.h"

namespace poold::core {

// What a timer is for. It decides on the type of DueTimer::owner, and State::RunTimer on what is done.
enum class TimerKind : std::uint8_t {
  // Task: its start, the end of its pause, or a limit of its time.
  kTask,
  // MapRun: its start delay, or the time at which its next item is too late.
  kMap,
  // MapRun: its client was absent for Limits::owner_grace.
  kMapOrphan,
  // Chunk: its present item is over its time.
  kChunk,
  // ItemRetry: the pause before the next attempt is over.
  kItemRetry,
  // Wait: the time of a call that waits is over.
  kWait,
  // Generation: the pause before the next try to start something is over.
  kPoolStart,
  // Pool: a circuit breaker may call for a probe.
  kPoolBreakers,
  // Pool: all owners were absent for Limits::owner_grace.
  kPoolOwner,
  // Pool: work may wait behind something long.
  kPoolWatchful,
  // Worker: it is older than PoolSpec::max_worker_age.
  kWorkerAge,
  // ClientQuota: its oldest outcome was kept for Limits::outcome_ttl.
  kOutcomes
};

// The place of a timer that is set. Lives in the owner, and only Timers changes it.
using TimerId = std::uint32_t;
inline constexpr TimerId kNoTimer = 0xffffffff;

// A timer that has fired.
struct DueTimer {
  TimerKind kind{};
  void* owner = nullptr;
};

class Timers {
 public:
  // Sets `*id` to `when`, whether it was set or not; kNever takes it out. When the timer fires `*id` becomes kNoTimer.
  // REQUIRES: `id` and `owner` stay where they are while it is set.
  void Set(TimerId* id, Nanos when, TimerKind kind, void* owner);
  // Takes the timer out; nothing happens if it is not set.
  void Clear(TimerId* id);
  // The moment at which the timer fires; kNever: it is not set.
  Nanos When(TimerId id) const { return id == kNoTimer ? kNever : heap_[entries_[id].place].when; }
  // The earliest moment of all; kNever: none is set.
  Nanos Next() const { return heap_.empty() ? kNever : heap_.front().when; }
  // Takes the earliest timer out if it is due at `now`. False: none is, and `*due` is as it was.
  bool PopDue(Nanos now, DueTimer* due);
  // Timers that are set.
  std::size_t size() const { return heap_.size(); }

 private:
  struct Item {
    Nanos when = kNever;
    // Counts calls of Set, so that equal moments keep their order.
    std::uint64_t order = 0;
    std::uint32_t entry = 0;
    bool operator<(const Item& other) const { return when != other.when ? when < other.when : order < other.order; }
  };
  struct Entry {
    DueTimer due;
    // The owner's, to be cleared.
    TimerId* id = nullptr;
    // Of its Item in heap_.
    std::uint32_t place = 0;
  };

  void Put(std::uint32_t place, Item item);
  void Up(std::uint32_t place);
  void Down(std::uint32_t place);
  void TakeOut(std::uint32_t place);

  // Four children for each parent.
  SteppedVector<Item> heap_;
  // By TimerId.
  SteppedVector<Entry> entries_;
  // Entries that nobody uses.
  SteppedVector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace poold::core
