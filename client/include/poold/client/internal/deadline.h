// A moment until which something may take, made from a timeout.
#pragma once

#include <algorithm>
#include <chrono>

#include "poold/client/options.h"

namespace poold::client::internal {

// A plain value. kForever stays for ever.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(Duration timeout)
      : at_(timeout >= kNear ? Clock::time_point::max() : Clock::now() + std::max(timeout, Duration::zero())) {}

  static Deadline At(Clock::time_point at) {
    Deadline deadline(kForever);
    deadline.at_ = at;
    return deadline;
  }

  bool never() const { return at_ == Clock::time_point::max(); }
  bool passed() const { return !never() && Clock::now() >= at_; }
  Duration left() const { return never() ? kForever : std::max<Duration>(at_ - Clock::now(), Duration::zero()); }
  Clock::time_point at() const { return at_; }

 private:
  // Longer than any process lives: no sum overflows.
  static constexpr Duration kNear = std::chrono::hours(24 * 365 * 100);
  Clock::time_point at_;
};

}  // namespace poold::client::internal
