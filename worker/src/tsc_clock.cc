#include "tsc_clock.h"

#include <time.h>

#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace poold::worker {
namespace {

constexpr std::int64_t kMeasureNs = 20'000'000;
constexpr std::int64_t kTrustedNs = 1'000'000'000;

std::int64_t KernelNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

#if defined(__x86_64__)
// The same rate at all times ("invariant TSC"), and good enough for the kernel.
bool TicksAreEven() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) == 0 || (edx & 1u << 8) == 0) return false;
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string source;
  return file >> source && source == "tsc";
}
#endif

}  // namespace

std::int64_t TscClock::Anchor() {
  const std::int64_t now = KernelNow();
#if defined(__x86_64__)
  const std::uint64_t ticks = __rdtsc();
  if (!measuring_) {
    measuring_ = true;
    first_ns_ = now;
    first_ticks_ = ticks;
    return now;
  }
  const std::int64_t passed = now - first_ns_;
  if (passed < kMeasureNs) return now;
  static const bool even = TicksAreEven();
  if (!even || ticks <= first_ticks_) return now;
  const double ns_per_tick = static_cast<double>(passed) / static_cast<double>(ticks - first_ticks_);
  ns_per_tick_ = static_cast<std::uint64_t>(ns_per_tick * 4294967296.0);
  trusted_ticks_ = static_cast<std::uint64_t>(kTrustedNs / ns_per_tick);
  anchor_ns_ = now;
  anchor_ticks_ = ticks;
#endif
  return now;
}

}  // namespace poold::worker
