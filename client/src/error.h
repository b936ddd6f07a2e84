// Statuses with a reason: those that the SDK makes, and conversions from the daemon's.
//
// Threads: pure functions. Every message names the thing and the remedy.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "contract/reason.h"
#include "google/rpc/status.pb.h"
#include "poold/client/codec.h"
#include "poold/client/status.h"
#include "poold/v1/task.pb.h"

namespace poold::client::internal {

// A status with this reason and its code.
absl::Status MakeError(const reason::Reason& why, std::string_view message);
// The daemon's refusal, from a message or from "grpc-status-details-bin", with its reason, field and retry delay.
absl::Status FromProto(const google::rpc::Status& status);
// A task's end as a status; OK: the task SUCCEEDED. `what` names the task: "square", "item 7 of square".
absl::Status OutcomeStatus(std::string_view what, const v1::Outcome& outcome);
// DEADLINE_EXCEEDED (WAIT_TIMEOUT).
absl::Status WaitTimeoutError(std::string_view what);
// DEADLINE_EXCEEDED (MAP_TIMEOUT): MapOptions::timeout has passed.
absl::Status MapTimeoutError(std::string_view what);
// UNAVAILABLE (HANDLE_LOST).
absl::Status LostError(std::string_view what);
// FAILED_PRECONDITION (FORKED): the caller is a child of the process that made the client.
absl::Status ForkedError();

}  // namespace poold::client::internal
