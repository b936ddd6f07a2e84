// LimitSelf: the resource limits of a clone, which the clone sets for itself.
#pragma once

#include "absl/status/status.h"
#include "poold/internal/worker.pb.h"

namespace poold::worker {

// Sets the limits that SETUP demands. Call before any foreign code runs, except handlers of pthread_atfork.
// RESOURCE_EXHAUSTED or PERMISSION_DENIED names the limit and what to do.
absl::Status LimitSelf(const internal::Setup& setup);

}  // namespace poold::worker
