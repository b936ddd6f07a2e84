// What an error says beyond its code.
//
// Every absl::Status of this SDK that speaks of poold carries a stable reason, and where it is known what it is about
// and when to try again: as payloads of the status that are short texts (poold/reason, poold/field, poold/retry_after),
// which whoever prints the status sees, and the functions below read. How a task ended in full is not in its status:
// the handle tells (TaskHandle::outcome, MapItem::outcome).
//
// The reasons of refused calls come from the daemon (POOL_NOT_FOUND, QUEUE_FULL, ...: poold/v1/pool_service.proto).
// These are made here:
//
//   reason          code                what it says
//   TASK_FAILED     UNKNOWN             the function threw or returned an error: outcome().failure
//   TASK_CRASHED    ABORTED             its worker died: outcome().death
//   TASK_TIMED_OUT  ABORTED             run_timeout or total_timeout passed: outcome().death if it was killed
//   TASK_EXPIRED    ABORTED             queue_timeout or total_timeout: never started
//   TASK_CANCELLED  CANCELLED           by a client, by Terminate, or because the pool failed
//   HANDLE_LOST     UNAVAILABLE         the daemon was restarted and does not know it
//   RESULT_TYPE     INVALID_ARGUMENT    it succeeded, but the result is not of the type that was asked for
//   WAIT_TIMEOUT    DEADLINE_EXCEEDED   not finished yet; nothing is lost, ask again
//   MAP_TIMEOUT     DEADLINE_EXCEEDED   MapOptions::timeout has passed; what is left of the map is cancelled
//   NOT_READY       FAILED_PRECONDITION Successful() was asked before the end
//   CLIENT_FULL     RESOURCE_EXHAUSTED  max_unsent_bytes wait to be sent, and OnFull::kFail: it was not submitted
//   FORKED          FAILED_PRECONDITION the client belongs to the process that this one was forked from
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "poold/client/options.h"

namespace poold::client {

// "" when there is none (an unreachable daemon is UNAVAILABLE without one).
std::string ReasonOf(const absl::Status& status);

// The field of the request, the limit or the thing that it is about; "" when there is none.
std::string FieldOf(const absl::Status& status);

// With RESOURCE_EXHAUSTED and UNAVAILABLE: when the daemon says it may be tried again.
std::optional<Duration> RetryDelayOf(const absl::Status& status);

}  // namespace poold::client
