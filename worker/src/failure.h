// Conversion of exceptions into task failures.
#pragma once

#include <string>

#include "poold/internal/worker.pb.h"
#include "poold/worker/call.h"

namespace poold::worker {

// The failure of the exception that is being handled: type, message, backtrace. REQUIRES: called in a handler.
TaskFailure FailureOfException();

// The failure as a message: valid UTF-8, texts cut at 64 KiB and the type at 4 KiB.
internal::Failure ToProto(const TaskFailure& failure);

}  // namespace poold::worker
