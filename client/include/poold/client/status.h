// Reasons, fields and retry delays of the SDK's errors.
//
// Every absl::Status of this SDK that is about poold carries a stable reason and, where they are known, the field or
// limit that the error is about and the time after which to try again. These three are payloads of the status in short
// text (poold/reason, poold/field, poold/retry_after): printing the status prints them, and the functions below read
// them. A status does not hold the whole outcome of a task: the handle has it (TaskHandle::outcome, MapItem::outcome).
//
// The reasons of refused calls come from the daemon (POOL_NOT_FOUND, QUEUE_FULL, ...: poold/v1/pool_service.proto). The
// SDK makes these:
//
//   reason          code                what it says
//   TASK_FAILED     UNKNOWN             the function threw or returned an error: outcome().failure
//   TASK_CRASHED    ABORTED             the worker died: outcome().death
//   TASK_TIMED_OUT  ABORTED             run_timeout or total_timeout passed: outcome().death if the worker was killed
//   TASK_EXPIRED    ABORTED             queue_timeout or total_timeout passed before the task started
//   TASK_CANCELLED  CANCELLED           cancelled by a client, by Terminate, or because the pool failed
//   HANDLE_LOST     UNAVAILABLE         the daemon was restarted and does not know the handle
//   RESULT_TYPE     INVALID_ARGUMENT    the task succeeded, but its result is not of the type that was asked for
//   WAIT_TIMEOUT    DEADLINE_EXCEEDED   not finished yet; nothing is lost, ask again
//   MAP_TIMEOUT     DEADLINE_EXCEEDED   MapOptions::timeout has passed; the rest of the map is cancelled
//   NOT_READY       FAILED_PRECONDITION Successful() was asked before the end
//   CLIENT_FULL     RESOURCE_EXHAUSTED  max_unsent_bytes wait to be sent: the task or the items were not submitted
//   TOO_LARGE       INVALID_ARGUMENT    an argument has 4 GiB or more: the task was not submitted
//   FORKED          FAILED_PRECONDITION the client belongs to the process that this one was forked from
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "poold/client/options.h"

namespace poold::client {

// The reason. "": the status has none (OK; an unreachable daemon is UNAVAILABLE without a reason).
std::string ReasonOf(const absl::Status& status);

// The field of the request, the limit or the thing that the error is about. "": the status names none.
std::string FieldOf(const absl::Status& status);

// The time after which the daemon says that the call may be tried again, with RESOURCE_EXHAUSTED and UNAVAILABLE.
// Nothing: the daemon named none.
std::optional<Duration> RetryDelayOf(const absl::Status& status);

}  // namespace poold::client
