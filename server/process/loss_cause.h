// The cause for which a process did not start: the process itself, a shortage of the machine, or an outsider.
//
// Pure functions; any thread.
#pragma once

#include "absl/status/status.h"
#include "core/types.h"
#include "process/death.h"

namespace poold::process {

// Of what the daemon could not make: RESOURCE_EXHAUSTED is a shortage.
core::LossCause CauseOf(const absl::Status& status);
// Of a process that the daemon did not end, with these limits.
core::LossCause CauseOf(const Death& death, const ResourceLimits& limits, bool out_of_memory);

// The error where the descriptors that are left are reserved for what exists.
absl::Status TooFewDescriptors();

}  // namespace poold::process
