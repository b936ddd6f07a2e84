#include "rpc/lookout.h"

#include <utility>

namespace poold::rpc {

using News = gate::Companion::News;

bool Lookout::Looks(absl::FunctionRef<bool()> came) {
  if (Begin()) {
    const core::Nanos began = clock_.Now();
    const core::Nanos had = base::OwnCpuTime();
    const Seen seen = LookAgain(came);
    const core::Nanos now = clock_.Now();
    spin_.End(now, seen != Seen::kNothing, (now - began) - (base::OwnCpuTime() - had));
    if (seen == Seen::kOwn) return true;
  }
  // Also where it looked before the last event and is not to look now.
  Rest();
  return false;
}

void Lookout::Rest() {
  if (std::exchange(looks_, false)) companion_->Rest();
  if (std::exchange(took_, false)) companion_->Release();
}

bool Lookout::Begin() {
  if (!spin_.Begin(clock_.Now())) return false;
  if (!took_) took_ = companion_->Take();
  return took_;
}

Lookout::Seen Lookout::LookAgain(absl::FunctionRef<bool()> came) {
  Seen seen = Seen::kNothing;
  do {
    if (came()) return Seen::kOwn;
    const News news = companion_->Look();
    // Too much is under way to wait for each piece: no reason to stay away later.
    if (news == News::kMuch) return Seen::kNews;
    looks_ = true;
    if (news == News::kNone) continue;
    seen = Seen::kNews;
    spin_.Begin(clock_.Now());
  } while (spin_.Goes(clock_.Now()));
  return seen;
}

}  // namespace poold::rpc
