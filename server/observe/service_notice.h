// ServiceNotice: tells the service manager (systemd) that the daemon has started, lives or stops.
//
// Threads: none; the main thread calls. Without a service manager every call does nothing. Errors: none are reported.
#pragma once

#include <string>

#include "core/types.h"

namespace poold::observe {

class ServiceNotice {
 public:
  // Reads the watchdog's interval from the environment.
  ServiceNotice();

  // The daemon serves; `status` is a line for people.
  void Ready(const std::string& status);
  // The daemon begins to stop.
  void Stopping();
  // Call once in each alive_interval().
  void Alive();

  // The time between two calls of Alive in ns, half of the manager's limit; core::kNever: no calls are wanted.
  core::Nanos alive_interval() const { return alive_interval_; }

 private:
  core::Nanos alive_interval_ = core::kNever;
};

}  // namespace poold::observe
