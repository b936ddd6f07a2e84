// The resource limits of a clone, which it sets for itself.
#pragma once

#include "absl/status/status.h"
#include "poold/internal/worker.pb.h"

namespace poold::worker {

// Sets what SETUP demands, before anything of others runs but handlers of pthread_atfork. The error names the limit and
// what to do.
absl::Status LimitSelf(const internal::Setup& setup);

}  // namespace poold::worker
