// Why the core refused a call: an absl::Status with a stable reason and what a client can do about it.
//
// api/ turns the payloads into google.rpc details (ErrorInfo, RetryInfo, QuotaFailure, BadRequest).
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "contract/reason.h"
#include "core/types.h"

namespace poold::core {

struct ErrorDetail {
  // The name of one of reason::kAll.
  std::string reason;
  // The field, the limit or the thing that it is about.
  std::string subject;
  // With RESOURCE_EXHAUSTED and UNAVAILABLE: when to try again; 0 for not.
  Nanos retry_after = 0;
  // With FUNCTION_NOT_FOUND: where it was looked for.
  std::string pool;
  friend bool operator==(const ErrorDetail&, const ErrorDetail&) = default;
};

// A refusal with the reason's own code. `message` names the thing and the remedy.
absl::Status MakeError(const reason::Reason& reason, std::string_view message, std::string_view subject = "",
                       Nanos retry_after = 0);
// The same with another code. REQUIRES: reason.HasCode(code).
absl::Status MakeError(absl::StatusCode code, const reason::Reason& reason, std::string_view message,
                       std::string_view subject = "", Nanos retry_after = 0);

// The same error, with more in its message and no delay.
absl::Status WithMessage(const absl::Status& error, std::string_view message);

// The same error, of something that is in this pool.
absl::Status InPool(std::string_view pool, absl::Status error);

// Everything empty if `status` was not made by MakeError.
ErrorDetail DetailOf(const absl::Status& status);

}  // namespace poold::core
