// The built-in function "exec" of pools that allow it; see worker/exec.md.
#pragma once

#include <cstdint>

#include "poold/worker/registry.h"

namespace poold::worker {

// A function that runs a program for each task. `max_result_bytes`: of a whole result, so the program may write a
// little less.
Function MakeExecFunction(std::uint64_t max_result_bytes);

}  // namespace poold::worker
