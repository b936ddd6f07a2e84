// Tells the service manager (systemd, if there is one) how the daemon is: started, alive, stopping.
//
// Thread safety: none; the main thread calls. Without a service manager every call does nothing.
#pragma once

#include <string>

#include "core/types.h"

namespace poold::observe {

class ServiceNotice {
 public:
  ServiceNotice();

  void Ready(const std::string& status);
  void Stopping();
  void Alive();

  // How often Alive must be called; kNever for not at all.
  core::Nanos alive_interval() const { return alive_interval_; }

 private:
  core::Nanos alive_interval_ = core::kNever;
};

}  // namespace poold::observe
