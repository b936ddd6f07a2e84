// The SETUP frame: what a zygote or a fresh worker needs to know of its pool (Setup in worker.proto).
//
// A pure function; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "process/resource_limits.h"

namespace poold::process {

// The whole frame, to be written first. `max_result_bytes`: a worker makes a failure of a larger result.
// `exec_path`: the program of the workers, only for the zygote of a pool whose workers are fresh programs; else "".
// `limits`: what clones set for themselves, only for a zygote; else empty.
std::string MakeSetupFrame(const core::PoolSpec& spec, std::uint32_t generation, std::uint64_t max_result_bytes,
                           const std::string& exec_path, const std::vector<KernelLimit>& limits);

}  // namespace poold::process
