#include "api/errors.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/service_context.h"
#include "base/names.h"
#include "core/errors.h"
#include "google/rpc/error_details.pb.h"
#include "wire/absl_text.h"
#include "wire/readable.h"

namespace poold::api {
namespace {

constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::size_t kMaxSubjectBytes = 256;

bool LooksLikeFrame(std::string_view line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  const bool numbered = line.size() > 1 && line[0] == '#' && std::isdigit(static_cast<unsigned char>(line[1])) != 0;
  return numbered || line.starts_with("at ") || line.starts_with("File \"") || line.starts_with("Traceback ");
}

std::string_view WithoutBacktrace(std::string_view message) {
  for (std::size_t end = message.find('\n'); end != std::string_view::npos; end = message.find('\n', end + 1)) {
    if (LooksLikeFrame(message.substr(end + 1))) return message.substr(0, end);
  }
  return message;
}

std::string Shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return wire::ToUtf8(text);
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return wire::ToUtf8(text.substr(0, end)) + "...";
}

void SetDuration(core::Nanos nanos, google::protobuf::Duration* out) {
  out->set_seconds(nanos / core::kSecond);
  out->set_nanos(static_cast<std::int32_t>(nanos % core::kSecond));
}

void AddErrorInfo(const core::ErrorDetail& detail, google::rpc::Status* out) {
  google::rpc::ErrorInfo info;
  info.set_domain("poold");
  info.set_reason(detail.reason);
  if (!detail.subject.empty()) (*info.mutable_metadata())["subject"] = Shortened(detail.subject, kMaxSubjectBytes);
  out->add_details()->PackFrom(info);
}

void AddBadRequest(const core::ErrorDetail& detail, google::rpc::Status* out) {
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field(Shortened(detail.subject, kMaxSubjectBytes));
  violation->set_description(out->message());
  out->add_details()->PackFrom(bad);
}

void AddQuotaFailure(const core::ErrorDetail& detail, google::rpc::Status* out) {
  google::rpc::QuotaFailure quota;
  auto* violation = quota.add_violations();
  violation->set_subject(Shortened(detail.subject, kMaxSubjectBytes));
  violation->set_description(out->message());
  out->add_details()->PackFrom(quota);
}

void AddRetryInfo(const core::ErrorDetail& detail, google::rpc::Status* out) {
  google::rpc::RetryInfo retry;
  SetDuration(detail.retry_after, retry.mutable_retry_delay());
  out->add_details()->PackFrom(retry);
}

constexpr std::size_t kMostListed = 8;

std::string PoolHint(const std::string& name, const ServiceContext& context) {
  const std::vector<std::string> names = context.engine.PoolNames();
  std::string hint = base::DidYouMean(name, names);
  if (!hint.empty()) return hint;
  if (names.empty()) return "; there are no pools: open one";
  hint = "; the pools are:";
  for (std::size_t i = 0; i < std::min(names.size(), kMostListed); ++i) absl::StrAppend(&hint, " '", names[i], "'");
  return names.size() > kMostListed ? hint + " ..." : hint;
}

std::string FunctionHint(const std::string& name, const std::string& pool, const ServiceContext& context) {
  const std::vector<std::string> names =
      context.engine.InPool(pool, [&](core::Core& core, core::Nanos) { return core.FunctionNames(pool); });
  const std::string hint = base::DidYouMean(name, names);
  return hint.empty() ? "; ask for the functions of the pool" : hint;
}

}  // namespace

absl::Status InvalidField(std::string_view field, std::string_view message) {
  return core::MakeError(reason::kInvalidField, message, field);
}

absl::Status TooLarge(std::string_view field, std::string_view message) {
  return core::MakeError(reason::kTooLarge, message, field);
}

absl::Status TooMany(std::string_view field, std::string_view message) {
  return core::MakeError(reason::kTooMany, message, field);
}

absl::Status ShuttingDown() {
  return core::MakeError(reason::kShuttingDown, "the daemon shuts down", "", core::kSecond);
}

google::rpc::Status ToProto(const absl::Status& status) {
  google::rpc::Status out;
  out.set_code(static_cast<int>(status.code()));
  out.set_message(Shortened(WithoutBacktrace(wire::ToStd(status.message())), kMaxMessageBytes));
  const core::ErrorDetail detail = core::DetailOf(status);
  if (detail.reason.empty()) return out;
  AddErrorInfo(detail, &out);
  if (status.code() == absl::StatusCode::kInvalidArgument) AddBadRequest(detail, &out);
  if (status.code() == absl::StatusCode::kResourceExhausted) AddQuotaFailure(detail, &out);
  if (detail.retry_after > 0) AddRetryInfo(detail, &out);
  return out;
}

bool IsUnknownName(const absl::Status& refusal) {
  if (!absl::IsNotFound(refusal)) return false;
  const std::string reason = core::DetailOf(refusal).reason;
  return reason == reason::kPoolNotFound || reason == reason::kFunctionNotFound;
}

absl::Status WithSuggestion(const absl::Status& refusal, const ServiceContext& context) {
  const core::ErrorDetail detail = core::DetailOf(refusal);
  const std::string hint =
      detail.pool.empty() ? PoolHint(detail.subject, context) : FunctionHint(detail.subject, detail.pool, context);
  return core::WithMessage(refusal, absl::StrCat(refusal.message(), hint));
}

void OneSuggestion::AddTo(absl::Status* refusal) {
  if (refusal->ok()) return;
  if (asked_.ok() && IsUnknownName(*refusal)) {
    answer_ = WithSuggestion(*refusal, context_);
    asked_ = *refusal;
  }
  if (*refusal == asked_) *refusal = answer_;
}

}  // namespace poold::api
