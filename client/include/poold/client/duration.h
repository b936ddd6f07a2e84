// Duration and WallTime: spans of time, and dates.
#pragma once

#include <chrono>
#include <cstdint>

namespace poold::client {

// A span of time in nanoseconds. Every std::chrono duration converts, and none wraps: a span above 292 years (also
// infinity) is kForever, a span as far below zero, or NaN, is the most negative one. A negative timeout has passed; as
// an option of a task or pool a negative Duration is refused by name.
class Duration : public std::chrono::nanoseconds {
  using Nanos = std::chrono::nanoseconds;

 public:
  constexpr Duration() : Nanos(0) {}
  constexpr explicit Duration(std::int64_t nanos) : Nanos(nanos) {}
  template <typename Rep, typename Period>
  constexpr Duration(std::chrono::duration<Rep, Period> other) : Nanos(Bounded(other)) {}

  static constexpr Duration zero() { return Duration(); }
  static constexpr Duration max() { return Duration(Nanos::max().count()); }
  static constexpr Duration min() { return Duration(Nanos::min().count()); }

 private:
  // The span in nanoseconds, or the nearest span that fits.
  template <typename Rep, typename Period>
  static constexpr Nanos Bounded(std::chrono::duration<Rep, Period> other) {
    const std::chrono::duration<long double, std::nano> nanos = other;
    if (nanos >= Nanos::max()) return Nanos::max();
    if (nanos > Nanos::min()) return std::chrono::duration_cast<Nanos>(other);
    return Nanos::min();
  }
};

// A timeout without a limit.
inline constexpr Duration kForever = Duration::max();

// A date, as the daemon's machine tells it: for people to read. Clocks may be set, so the difference of two dates is no
// measurement.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

}  // namespace poold::client
