// What an error says beyond its code.
//
// Every absl::Status of this SDK that speaks of poold carries a stable reason. The reasons of refused calls come from
// the daemon (POOL_NOT_FOUND, QUEUE_FULL, ...: poold/v1/pool_service.proto). The reasons of handles are made here:
//
//   reason          code                how the handle stands
//   TASK_FAILED     UNKNOWN             the function threw or returned an error: FailureOf
//   TASK_CRASHED    ABORTED             its worker died: OutcomeOf(...).death
//   TASK_TIMED_OUT  ABORTED             run_timeout or total_timeout: killed
//   TASK_EXPIRED    ABORTED             queue_timeout or total_timeout: never started
//   TASK_CANCELLED  CANCELLED           by a client, by Terminate, or because the pool failed
//   HANDLE_LOST     UNAVAILABLE         the daemon was restarted and does not know it
//   RESULT_TYPE     INVALID_ARGUMENT    it succeeded, but the result is not of the type that was asked for
//   WAIT_TIMEOUT    DEADLINE_EXCEEDED   not finished yet; nothing is lost, ask again
//   MAP_TIMEOUT     DEADLINE_EXCEEDED   MapOptions::timeout has passed; what is left of the map is cancelled
//   NOT_READY       FAILED_PRECONDITION Successful() was asked before the end
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "poold/client/options.h"
#include "poold/v1/task.pb.h"

namespace poold::client {

// "" when there is none (an unreachable daemon is UNAVAILABLE without one).
std::string ReasonOf(const absl::Status& status);

// With TASK_FAILED, TASK_EXPIRED and TASK_CANCELLED.
std::optional<v1::Failure> FailureOf(const absl::Status& status);

// With all TASK_ reasons: everything that is known.
std::optional<v1::Outcome> OutcomeOf(const absl::Status& status);

// With RESOURCE_EXHAUSTED and UNAVAILABLE: when the daemon says it may be tried again.
std::optional<Duration> RetryDelayOf(const absl::Status& status);

}  // namespace poold::client
