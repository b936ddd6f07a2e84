#include "core/errors.h"

#include <cassert>
#include <charconv>
#include <string>

#include "absl/strings/cord.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

constexpr char kReasonUrl[] = "poold/reason";
constexpr char kSubjectUrl[] = "poold/subject";
constexpr char kRetryUrl[] = "poold/retry_after";
constexpr char kPoolUrl[] = "poold/pool";

std::string Read(const absl::Status& status, const char* url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status MakeError(const reason::Reason& reason, std::string_view message, std::string_view subject,
                       Nanos retry_after) {
  return MakeError(reason.code, reason, message, subject, retry_after);
}

absl::Status MakeError(absl::StatusCode code, const reason::Reason& reason, std::string_view message,
                       std::string_view subject, Nanos retry_after) {
  assert(reason.HasCode(code));
  absl::Status status(code, wire::ToAbsl(message));
  status.SetPayload(kReasonUrl, absl::Cord(wire::ToAbsl(reason.name)));
  if (!subject.empty()) status.SetPayload(kSubjectUrl, absl::Cord(wire::ToAbsl(subject)));
  if (retry_after > 0) status.SetPayload(kRetryUrl, absl::Cord(std::to_string(retry_after)));
  return status;
}

absl::Status WithMessage(const absl::Status& error, std::string_view message) {
  absl::Status status(error.code(), wire::ToAbsl(message));
  for (const char* url : {kReasonUrl, kSubjectUrl}) {
    if (const auto payload = error.GetPayload(url); payload.has_value()) status.SetPayload(url, *payload);
  }
  return status;
}

absl::Status InPool(std::string_view pool, absl::Status error) {
  error.SetPayload(kPoolUrl, absl::Cord(std::string(pool)));
  return error;
}

ErrorDetail DetailOf(const absl::Status& status) {
  ErrorDetail detail;
  detail.reason = Read(status, kReasonUrl);
  detail.subject = Read(status, kSubjectUrl);
  detail.pool = Read(status, kPoolUrl);
  const std::string retry = Read(status, kRetryUrl);
  std::from_chars(retry.data(), retry.data() + retry.size(), detail.retry_after);
  return detail;
}

}  // namespace poold::core
