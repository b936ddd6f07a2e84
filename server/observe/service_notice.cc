#include "observe/service_notice.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace poold::observe {

ServiceNotice::ServiceNotice() {
  std::uint64_t limit_us = 0;
  // Twice in the time that the service manager allows.
  if (sd_watchdog_enabled(0, &limit_us) > 0) alive_interval_ = static_cast<core::Nanos>(limit_us) * 1000 / 2;
}

void ServiceNotice::Ready(const std::string& status) { sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }
void ServiceNotice::Stopping() { sd_notify(0, "STOPPING=1"); }
void ServiceNotice::Alive() { sd_notify(0, "WATCHDOG=1"); }

}  // namespace poold::observe
