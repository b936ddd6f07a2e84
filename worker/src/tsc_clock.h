// CLOCK_MONOTONIC for who looks at it before and after each of many short things.
//
// Where the processor's time stamp counter runs evenly and the kernel keeps its own time by it, the time is read from
// there at half the price, and set right by the kernel's once a second. What was just read may then be some nanoseconds
// later than what is read next. Not thread-safe.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace poold::worker {

class TscClock {
 public:
  // In ns.
  std::int64_t Now() {
#if defined(__x86_64__)
    const std::uint64_t since = __rdtsc() - anchor_ticks_;
    if (since < trusted_ticks_) return anchor_ns_ + static_cast<std::int64_t>(since * ns_per_tick_ >> 32);
#endif
    return Anchor();
  }

 private:
  std::int64_t Anchor();

  // The time at a tick, and how many ticks from there on may be counted; none until their length is known.
  std::int64_t anchor_ns_ = 0;
  std::uint64_t anchor_ticks_ = 0;
  std::uint64_t trusted_ticks_ = 0;
  std::uint64_t ns_per_tick_ = 0;  // times 2^32
  // Where the length of a tick is measured from.
  bool measuring_ = false;
  std::int64_t first_ns_ = 0;
  std::uint64_t first_ticks_ = 0;
};

}  // namespace poold::worker
