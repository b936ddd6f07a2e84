// Refusals as clients get them: statuses with reasons, their form as google.rpc.Status, and suggestions for mistyped
// names.
//
// Threads: pure functions, except those that take a ServiceContext: these enter cores, so they may not be called inside
// of an event or
//   while subscribers are flushed. Ownership: the context must outlive its user.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace poold::api {

struct ServiceContext;

// INVALID_ARGUMENT, reason INVALID_FIELD: `message` names the value and says what is right.
absl::Status InvalidField(std::string_view field, std::string_view message);
// INVALID_ARGUMENT, reason TOO_LARGE or TOO_MANY.
absl::Status TooLarge(std::string_view field, std::string_view message);
absl::Status TooMany(std::string_view field, std::string_view message);

// UNAVAILABLE, reason SHUTTING_DOWN.
absl::Status ShuttingDown();

// Converts a refusal, with ErrorInfo, and where they belong RetryInfo, QuotaFailure and BadRequest (see
// pool_service.proto). The message is short (it travels in trailers), valid UTF-8, and never carries a backtrace.
google::rpc::Status ToProto(const absl::Status& status);

// Whether the reason is POOL_NOT_FOUND or FUNCTION_NOT_FOUND.
bool IsUnknownName(const absl::Status& refusal);

// The refusal with the nearest existing name of a pool or function, or with a list of the existing ones. REQUIRES:
// IsUnknownName.
absl::Status WithSuggestion(const absl::Status& refusal, const ServiceContext& context);

// Adds suggestions to the refusals of one call. The first unknown name gets its suggestion wherever it comes again;
// others get none, so that a call looks for one suggestion at most.
class OneSuggestion {
 public:
  explicit OneSuggestion(const ServiceContext& context) : context_(context) {}
  void AddTo(absl::Status* refusal);

 private:
  const ServiceContext& context_;
  absl::Status asked_;
  absl::Status answer_;
};

}  // namespace poold::api
