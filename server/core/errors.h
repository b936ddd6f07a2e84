// Refusals of the core: an absl::Status with a stable reason and what a client can do about it.
//
// api/ turns the payloads into google.rpc details (ErrorInfo, RetryInfo, QuotaFailure, BadRequest). Pure functions; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "contract/reason.h"
#include "core/types.h"

namespace poold::core {

// The facts that a refusal carries beside code and message.
struct ErrorDetail {
  // The name of one of reason::kAll.
  std::string reason;
  // The field, the limit or the thing that the refusal is about; may be empty.
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
// As above, with another code of the reason. REQUIRES: reason.HasCode(code).
absl::Status MakeError(absl::StatusCode code, const reason::Reason& reason, std::string_view message,
                       std::string_view subject = "", Nanos retry_after = 0);

// An error with the same code, reason and subject, and with this message; without a delay and a pool.
absl::Status WithMessage(const absl::Status& error, std::string_view message);

// A copy of the error that names the pool it is about.
absl::Status InPool(std::string_view pool, absl::Status error);

// The facts of a refusal; everything empty if `status` was not made by MakeError.
ErrorDetail DetailOf(const absl::Status& status);

}  // namespace poold::core
