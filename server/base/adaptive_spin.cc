#include "base/adaptive_spin.h"

#include <time.h>

#include <algorithm>

namespace poold::base {
namespace {

constexpr std::int64_t kShortestPause = 2'000'000;
constexpr std::int64_t kLongestPause = 1'000'000'000;
// It is judged by so many. Whom it wakes may begin on its core, also on an idle machine, but leaves it soon; who
// computes stays for milliseconds.
constexpr int kJudged = 64;
constexpr std::int64_t kMostLost = kJudged * 100'000;
constexpr int kMostInVain = 8;

}  // namespace

void AdaptiveSpin::End(std::int64_t now, bool found, std::int64_t lost) {
  in_vain_ = found ? 0 : in_vain_ + 1;
  lost_ += lost;
  if (in_vain_ >= kMostInVain) return Pause(now);
  if (++spins_ < kJudged) return;
  if (lost_ >= kMostLost) return Pause(now);
  pause_ /= 2;
  spins_ = 0;
  lost_ = 0;
}

void AdaptiveSpin::Pause(std::int64_t now) {
  pause_ = std::clamp(pause_ * 2, kShortestPause, kLongestPause);
  resume_at_ = now + pause_;
  in_vain_ = spins_ = 0;
  lost_ = 0;
}

std::int64_t OwnCpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::int64_t{1'000'000'000} * time.tv_sec + time.tv_nsec;
}

}  // namespace poold::base
