// TscClock: CLOCK_MONOTONIC for code that reads the time before and after each of many short steps.
//
// Where the processor's time stamp counter runs evenly and the kernel keeps its own time by it, the counter gives the
// time at half the price, and is set right by the kernel's clock once a second. A reading may then be some nanoseconds
// later than the next one. Not thread-safe.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace poold::worker {

class TscClock {
 public:
  // Monotonic time in ns.
  std::int64_t Now() {
#if defined(__x86_64__)
    const std::uint64_t since = __rdtsc() - anchor_ticks_;
    if (since < trusted_ticks_) return anchor_ns_ + static_cast<std::int64_t>(since * ns_per_tick_ >> 32);
#endif
    return Anchor();
  }

 private:
  // Reads the kernel's clock and sets the counter right.
  std::int64_t Anchor();

  // The time at a tick, and the number of ticks that may be counted from there; 0 until their length is known.
  std::int64_t anchor_ns_ = 0;
  std::uint64_t anchor_ticks_ = 0;
  std::uint64_t trusted_ticks_ = 0;
  // The length of a tick in ns, times 2^32.
  std::uint64_t ns_per_tick_ = 0;
  // The first reading, from which the length of a tick is measured.
  bool measuring_ = false;
  std::int64_t first_ns_ = 0;
  std::uint64_t first_ticks_ = 0;
};

}  // namespace poold::worker
