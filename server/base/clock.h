// Time, injected so that tests can hold it still.
#pragma once

#include <cstdint>

namespace poold::base {

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic nanoseconds. Thread-safe.
  virtual std::int64_t Now() const = 0;
  // Nanoseconds since the Unix epoch, for timestamps that people see. Thread-safe.
  virtual std::int64_t WallNow() const = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  std::int64_t Now() const override;
  std::int64_t WallNow() const override;
};

}  // namespace poold::base
