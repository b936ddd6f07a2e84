#include "transport/busy_poller.h"

#include <utility>

namespace poold::transport {

using PollResult = engine::PollSource::PollResult;

bool BusyPoller::Poll(absl::FunctionRef<bool()> came) {
  if (Begin()) {
    const core::Nanos began = clock_.Now();
    const core::Nanos had = base::OwnCpuTime();
    const Seen seen = PollUntilIdle(came);
    const core::Nanos now = clock_.Now();
    spin_.End(now, seen != Seen::kNothing, (now - began) - (base::OwnCpuTime() - had));
    if (seen == Seen::kOwn) return true;
  }
  // Also where it looked before the last event and is not to look now.
  Rearm();
  return false;
}

void BusyPoller::Rearm() {
  if (std::exchange(suppressed_, false)) poll_source_->Rearm();
  if (std::exchange(took_, false)) poll_source_->Release();
}

bool BusyPoller::Begin() {
  if (!spin_.Begin(clock_.Now())) return false;
  if (!took_) took_ = poll_source_->Take();
  return took_;
}

BusyPoller::Seen BusyPoller::PollUntilIdle(absl::FunctionRef<bool()> came) {
  Seen seen = Seen::kNothing;
  do {
    if (came()) return Seen::kOwn;
    const PollResult result = poll_source_->Poll();
    // Too much is under way to wait for each piece: no reason to stay away later.
    if (result == PollResult::kTooMuch) return Seen::kPolled;
    suppressed_ = true;
    if (result == PollResult::kNone) continue;
    seen = Seen::kPolled;
    spin_.Begin(clock_.Now());
  } while (spin_.Goes(clock_.Now()));
  return seen;
}

}  // namespace poold::transport
