// The limits that a pool sets for its workers: setrlimit(2), from outside, so that it works for every language.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "core/types.h"

namespace poold::process {

using ResourceLimits = std::map<core::ResourceKind, std::uint64_t>;

// Of `pid`, a child that is not reaped. Nothing is raised above what it has. The error names the limit and what is in
// its way. No error: it is dead already.
absl::Status LimitResources(pid_t pid, const ResourceLimits& limits);

}  // namespace poold::process
