// The built-in function "exec" of pools that allow it; see worker/exec.md.
#pragma once

#include <cstdint>

#include "poold/worker/registry.h"

namespace poold::worker {

Function MakeExecFunction(std::uint64_t max_result_bytes);

}  // namespace poold::worker
