#include "drivers/sleeping_poold.h"

#include <utility>

namespace poold::bench {

absl::Status SleepingPoold::Start() {
  auto daemon = PrivateDaemon::Start({"--spin-us", "0"});
  if (!daemon.ok()) return daemon.status();
  daemon_ = *std::move(daemon);
  driver_.emplace(kSubject, daemon_->address(), workers_);
  return driver_->Start();
}

void SleepingPoold::Stop() {
  if (driver_) driver_->Stop();
  driver_.reset();
  daemon_.reset();
}

}  // namespace poold::bench
