#include "base/clock.h"

#include <ctime>

namespace poold::base {
namespace {

std::int64_t Read(clockid_t id) {
  timespec time;
  clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::int64_t SystemClock::Now() const { return Read(CLOCK_MONOTONIC); }
std::int64_t SystemClock::WallNow() const { return Read(CLOCK_REALTIME); }

}  // namespace poold::base
