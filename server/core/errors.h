// Why the core refused a call: an absl::Status with a stable reason and what a client can do about it.
//
// api/ turns the payloads into google.rpc details (ErrorInfo, RetryInfo, QuotaFailure, BadRequest).
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/types.h"

namespace poold::core {

struct ErrorDetail {
  // As listed in pool_service.proto: "POOL_NOT_FOUND", ...
  std::string reason;
  // The field, the limit or the thing that it is about.
  std::string subject;
  // With RESOURCE_EXHAUSTED and UNAVAILABLE: when to try again; 0 for not.
  Nanos retry_after = 0;
  // With FUNCTION_NOT_FOUND: where it was looked for.
  std::string pool;
  friend bool operator==(const ErrorDetail&, const ErrorDetail&) = default;
};

absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       std::string_view subject = "", Nanos retry_after = 0);

// The same error, of something that is in this pool.
absl::Status InPool(std::string_view pool, absl::Status error);

// Everything empty if `status` was not made by MakeError.
ErrorDetail DetailOf(const absl::Status& status);

}  // namespace poold::core
