// Refusals on their way out: absl::Status -> google.rpc.Status with its details.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace poold::rpc {

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

// Valid UTF-8: each byte that is not becomes '?'. What workers say goes through it before it enters a proto string.
std::string ToUtf8(std::string_view text);

}  // namespace poold::rpc
