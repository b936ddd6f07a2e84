// Exceptions as failures of tasks, and failures in terms of the protocol. Any thread.
#pragma once

#include <string>

#include "poold/internal/worker.pb.h"
#include "poold/worker/call.h"

namespace poold::worker {

// Type and message of the exception that is being handled. REQUIRES: there is one.
TaskFailure FailureOfException();

internal::Failure ToProto(const TaskFailure& failure);

}  // namespace poold::worker
