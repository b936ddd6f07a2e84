#include "core/pool/start_tries.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace poold::core {
namespace {

// Before each new try of something that did not start, or was ready and ended early. The last one is used on and on.
constexpr Nanos kPauses[] = {100 * kMillisecond, 400 * kMillisecond, 1600 * kMillisecond, 5 * kSecond};
// What never ran is given up when it failed by its own fault once more than so often.
constexpr std::uint32_t kMostOwnFailures = 3;

Nanos PauseAfter(std::uint32_t tries) { return kPauses[std::min<std::size_t>(tries, std::size(kPauses) - 1)]; }

}  // namespace

bool StartTries::Failed(std::uint32_t round, LossCause cause) {
  if (round != round_ || pauses()) return false;
  if (cause == LossCause::kItself) ++own_failures_;
  return true;
}

bool StartTries::is_hopeless() const { return own_failures_ > kMostOwnFailures; }

bool StartTries::TryAgain(Nanos now, std::string why, LossCause cause) {
  const bool first = failure_.empty();
  failure_ = std::move(why);
  cause_ = cause;
  timers_->Set(&timer_, now + PauseAfter(failures_++), TimerKind::kPoolStart, owner_);
  return first;
}

void StartTries::Ended(Nanos now, std::uint32_t round, Nanos lived, bool wanted) {
  if (lived >= kLivedAWhile) early_ends_ = 0;
  if (!wanted || lived >= kLivedAWhile || round != round_ || pauses()) return;
  ++round_;
  const std::uint32_t before = early_ends_++;
  if (before == 0) return;
  timers_->Set(&timer_, now + PauseAfter(before - 1), TimerKind::kPoolStart, owner_);
}

bool StartTries::Started() {
  failures_ = own_failures_ = 0;
  return !std::exchange(failure_, {}).empty();
}

std::string StartTries::Check() const {
  if ((failures_ > 0) == failure_.empty()) return "a start failed without a reason, or there is one and none failed";
  return own_failures_ <= failures_ + 1 ? "" : "more starts failed by their own fault than failed";
}

}  // namespace poold::core
