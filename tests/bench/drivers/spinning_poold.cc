#include "drivers/spinning_poold.h"

#include <utility>

namespace poold::bench {

absl::Status SpinningPoold::Start() {
  auto daemon = PrivateDaemon::Start({"--spin-us", "50"});
  if (!daemon.ok()) return daemon.status();
  daemon_ = *std::move(daemon);
  driver_.emplace(kSubject, daemon_->address(), workers_);
  return driver_->Start();
}

void SpinningPoold::Stop() {
  if (driver_) driver_->Stop();
  driver_.reset();
  daemon_.reset();
}

}  // namespace poold::bench
