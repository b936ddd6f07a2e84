#include "base/spin.h"

#include <sys/resource.h>

#include <algorithm>

namespace poold::base {
namespace {

constexpr std::int64_t kShortestPause = 2'000'000;
constexpr std::int64_t kLongestPause = 1'000'000'000;
// It is judged by so many. Of these, some are disturbed on an idle machine too: whom it wakes may begin on its core.
constexpr int kJudged = 64;
constexpr std::int64_t kTooMany = kJudged / 4;

}  // namespace

void Spin::End(std::int64_t now, std::int64_t preemptions) {
  if (spins_++ == 0) preemptions_before_ = preemptions;
  if (spins_ <= kJudged) return;
  spins_ = 0;
  if (preemptions - preemptions_before_ < kTooMany) {
    pause_ /= 2;
    return;
  }
  pause_ = std::clamp(pause_ * 2, kShortestPause, kLongestPause);
  resume_at_ = now + pause_;
}

std::int64_t OwnPreemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

}  // namespace poold::base
