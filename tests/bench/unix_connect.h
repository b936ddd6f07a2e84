#pragma once

#include <string>

#include "wire/unique_fd.h"

namespace poold::bench {

// A connected stream socket; nothing, where nobody listens at `path`.
wire::UniqueFd ConnectTo(const std::string& path);

}  // namespace poold::bench
