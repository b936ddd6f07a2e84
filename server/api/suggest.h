// Suggestions for mistyped names of pools and functions, which a refusal tells.
//
// A suggestion is looked for once in each call, after the core's mutex was left. Used by the call's thread; not inside
// an event, nor while subscribers are flushed. Ownership: the context must outlive it.
#pragma once

#include "absl/status/status.h"
#include "api/service_context.h"

namespace poold::api {

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
