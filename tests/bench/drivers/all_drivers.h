#pragma once

#include <string>

#include "compare.h"

namespace poold::bench {

// Where the measured daemon is.
struct Place {
  std::string address;
  // Empty: only the first is measured.
  std::string tcp_address;
};

// poold, the floors, and those peers that are installed here. None is started.
Drivers AllDrivers(const Place& place, std::uint32_t workers);

}  // namespace poold::bench
