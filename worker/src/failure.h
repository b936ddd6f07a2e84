// What was thrown, as a failure.
#pragma once

#include <string>

#include "poold/internal/worker.pb.h"
#include "poold/worker/call.h"

namespace poold::worker {

// REQUIRES: called while an exception is handled.
TaskFailure FailureOfException();

internal::Failure ToProto(const TaskFailure& failure);

}  // namespace poold::worker
