// The built-in function "exec", for pools that allow it; see worker/exec.md.
#pragma once

#include <cstdint>

#include "poold/worker/registry.h"

namespace poold::worker {

// Makes the function. A program whose output does not fit into a result of `max_result_bytes` is killed.
Function MakeExecFunction(std::uint64_t max_result_bytes);

}  // namespace poold::worker
