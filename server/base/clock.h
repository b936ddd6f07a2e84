// Clock: time, injected so that tests can control it.
#pragma once

#include <cstdint>

namespace poold::base {

// Threads: every method may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic nanoseconds.
  virtual std::int64_t Now() const = 0;
  // Nanoseconds since the Unix epoch, for timestamps that are shown, and for nothing else.
  virtual std::int64_t WallNow() const = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  std::int64_t Now() const override;
  std::int64_t WallNow() const override;
};

}  // namespace poold::base
