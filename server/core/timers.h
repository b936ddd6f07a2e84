// Everything that falls due: a heap of moments, from which one can be taken out again.
//
// Role: keeps (moment, what, owner), earliest first; equal moments in the order in which they were set. Non-role: knows
// nothing of what is due. Memory is that of the timers that are set; it grows in steps.
#pragma once

#include <cstdint>

#include "core/stepped_vector.h"
#include "core/types.h"

namespace poold::core {

enum class TimerKind : std::uint8_t {
  kTask,
  kMap,
  kMapOrphan,
  kChunk,
  kItemRetry,
  kWait,
  kPoolStart,
  kPoolBreakers,
  kPoolOwner,
  kPoolWatchful,
  kWorkerAge,
  kOutcomes
};

using TimerId = std::uint32_t;
inline constexpr TimerId kNoTimer = 0xffffffff;

struct DueTimer {
  TimerKind kind{};
  void* owner = nullptr;
};

class Timers {
 public:
  // Sets `*id`, moving it if it was set; kNever takes it out. The id is cleared when the timer fires.
  void Set(TimerId* id, Nanos when, TimerKind kind, void* owner);
  void Clear(TimerId* id);
  // When it fires; kNever if it is not set.
  Nanos When(TimerId id) const { return id == kNoTimer ? kNever : heap_[entries_[id].place].when; }
  Nanos Next() const { return heap_.empty() ? kNever : heap_.front().when; }
  // Takes the earliest one out if it is due at `now`.
  bool PopDue(Nanos now, DueTimer* due);
  std::size_t size() const { return heap_.size(); }

 private:
  struct Item {
    Nanos when = kNever;
    std::uint64_t order = 0;
    std::uint32_t entry = 0;
    bool operator<(const Item& other) const { return when != other.when ? when < other.when : order < other.order; }
  };
  struct Entry {
    DueTimer due;
    TimerId* id = nullptr;
    std::uint32_t place = 0;
  };

  void Put(std::uint32_t place, Item item);
  void Up(std::uint32_t place);
  void Down(std::uint32_t place);
  void TakeOut(std::uint32_t place);

  SteppedVector<Item> heap_;
  SteppedVector<Entry> entries_;
  SteppedVector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace poold::core
