#pragma once

#include <string>

#include "wire/unique_fd.h"

namespace poold::bench {

// A connected, blocking stream socket; nothing, where nobody listens at `address`: the path of a Unix socket, or
// "127.0.0.1:PORT". TCP sends small pieces at once.
wire::UniqueFd ConnectTo(const std::string& address);

}  // namespace poold::bench
