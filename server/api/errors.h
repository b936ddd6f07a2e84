// Refusals as clients get them: absl::Status with its details -> google.rpc.Status.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace poold::api {

// INVALID_ARGUMENT, reason INVALID_FIELD: `message` names the value and says what is right.
absl::Status InvalidField(std::string_view field, std::string_view message);
// INVALID_ARGUMENT, reason TOO_LARGE or TOO_MANY.
absl::Status TooLarge(std::string_view field, std::string_view message);
absl::Status TooMany(std::string_view field, std::string_view message);

// UNAVAILABLE, reason SHUTTING_DOWN.
absl::Status ShuttingDown();

// With ErrorInfo, and where they belong RetryInfo, QuotaFailure and BadRequest (see pool_service.proto). The message is
// short (it travels in trailers), valid UTF-8, and never carries a backtrace.
google::rpc::Status ToProto(const absl::Status& status);

}  // namespace poold::api
