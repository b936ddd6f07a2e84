// Refusals as clients get them: absl::Status with its details -> google.rpc.Status.
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

// With ErrorInfo, and where they belong RetryInfo, QuotaFailure and BadRequest (see pool_service.proto). The message is
// short (it travels in trailers), valid UTF-8, and never carries a backtrace.
google::rpc::Status ToProto(const absl::Status& status);

// Suggestions for mistyped names of pools and functions, which a refusal tells.
//
// A suggestion is looked for once in each call, after the core's mutex was left. Used by the call's thread; not inside
// an event, nor while subscribers are flushed. Ownership: the context must outlive it.

// POOL_NOT_FOUND or FUNCTION_NOT_FOUND.
bool IsUnknownName(const absl::Status& refusal);

// With the nearest name that there is, or which there are. REQUIRES: IsUnknownName.
absl::Status WithSuggestion(const absl::Status& refusal, const ServiceContext& context);

// For the refusals of one call: the first unknown name gets its suggestion wherever it comes again, others none.
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
