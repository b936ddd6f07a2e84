#include "base/memory_return.h"

#include <malloc.h>

#include <algorithm>

#include "base/memory_budget.h"

namespace poold::base {
namespace {

// Less is not worth it.
constexpr std::uint64_t kWorthIt = 32ull << 20;
constexpr std::int64_t kSoon = 1'000'000'000;
// While it does not help: what is resident is in use by somebody who does not count it.
constexpr std::int64_t kLongestPause = 60 * kSoon;

std::uint64_t Difference(std::uint64_t from, std::uint64_t less) { return from - std::min(from, less); }

}  // namespace

MemoryReturn::MemoryReturn() : MemoryReturn({ResidentBytes, [] { malloc_trim(0); }}) {}

std::int64_t MemoryReturn::Look(std::int64_t now, std::uint64_t used_bytes) {
  const std::uint64_t resident = system_.resident_bytes();
  if (!looked_) baseline_ = Difference(resident, used_bytes);
  looked_ = true;
  const std::uint64_t excess = Difference(resident, used_bytes + baseline_);
  if (excess < kWorthIt) {
    pause_ = kSoon;
    return kNoHurry;
  }
  const bool fell = used_bytes + kWorthIt <= used_then_;
  if (now < next_ && !fell) return std::min(next_ - now, kNoHurry);
  used_then_ = used_bytes;
  system_.give_back();
  const bool helped = Difference(resident, system_.resident_bytes()) >= excess / 4;
  pause_ = helped ? kSoon : std::min(2 * pause_, kLongestPause);
  next_ = now + pause_;
  return std::min(pause_, kNoHurry);
}

}  // namespace poold::base
