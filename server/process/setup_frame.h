// The SETUP frame: what a zygote or a fresh worker needs to know of its pool.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "process/resource_limits.h"

namespace poold::process {

// `exec_path`: only for the zygote of a pool whose workers are fresh programs. `limits`: only for a zygote.
std::string MakeSetupFrame(const core::PoolSpec& spec, std::uint32_t generation, std::uint64_t max_result_bytes,
                           const std::string& exec_path, const std::vector<KernelLimit>& limits);

}  // namespace poold::process
