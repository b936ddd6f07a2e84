// Statuses with a reason: made here, and from what the daemon sent.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "poold/client/status.h"

namespace poold::client::internal {

inline constexpr std::string_view kWaitTimeout = "WAIT_TIMEOUT";
inline constexpr std::string_view kHandleLost = "HANDLE_LOST";

absl::Status MakeError(absl::StatusCode code, std::string_view message, std::string_view reason);
// From a refusal in a message, or from "grpc-status-details-bin".
absl::Status FromProto(const google::rpc::Status& status);
// How a task ended, as a status: OK when it succeeded. `what` names it: "square", "item 7 of square".
absl::Status OutcomeStatus(std::string_view what, const v1::Outcome& outcome);
absl::Status WaitTimeoutError(std::string_view what);
// MapOptions::timeout has passed.
absl::Status MapTimeoutError(std::string_view what);
absl::Status LostError(std::string_view what);
// The caller is a child of the process that made the client.
absl::Status ForkedError();

}  // namespace poold::client::internal
