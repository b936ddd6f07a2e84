// Deadline: the monotonic moment at which a timeout ends.
#pragma once

#include <algorithm>
#include <chrono>

#include "poold/client/options.h"

namespace poold::client::internal {

// A plain value.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  // `timeout` from now. A negative timeout has passed; from 100 years on a timeout never ends.
  explicit Deadline(Duration timeout)
      : at_(timeout >= kNear ? Clock::time_point::max() : Clock::now() + std::max(timeout, Duration::zero())) {}

  // The deadline at this moment; time_point::max() never comes.
  static Deadline At(Clock::time_point at) {
    Deadline deadline(kForever);
    deadline.at_ = at;
    return deadline;
  }

  // Whether the deadline never comes.
  bool never() const { return at_ == Clock::time_point::max(); }
  // Whether the deadline has come. Reads the clock.
  bool passed() const { return !never() && Clock::now() >= at_; }
  // The time until the deadline, at least zero; kForever if it never comes. Reads the clock.
  Duration left() const { return never() ? kForever : std::max<Duration>(at_ - Clock::now(), Duration::zero()); }
  // The moment; time_point::max() if the deadline never comes.
  Clock::time_point at() const { return at_; }

 private:
  // A hundred years: longer than any process lives, and short enough that no sum overflows.
  static constexpr Duration kNear = std::chrono::hours(24 * 365 * 100);
  Clock::time_point at_;
};

}  // namespace poold::client::internal
