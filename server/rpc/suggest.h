// What somebody who mistyped a name has meant: said in the refusal after the core's mutex was left, once for each call.
//
// Used by the thread that handles the call; not inside an event, nor while something is flushed. Ownership: the
// service_context must outlive it.
#pragma once

#include "absl/status/status.h"
#include "rpc/service_context.h"

namespace poold::rpc {

// POOL_NOT_FOUND or FUNCTION_NOT_FOUND.
bool IsUnknownName(const absl::Status& refusal);

// With the nearest name that there is, or which there are. REQUIRES: IsUnknownName.
absl::Status WithSuggestion(const absl::Status& refusal, const ServiceContext& service_context);

// For the refusals of one call: the first unknown name gets its suggestion wherever it comes again, others none.
class OneSuggestion {
 public:
  explicit OneSuggestion(const ServiceContext& service_context) : service_context_(service_context) {}
  void AddTo(absl::Status* refusal);

 private:
  const ServiceContext& service_context_;
  absl::Status asked_;
  absl::Status answer_;
};

}  // namespace poold::rpc
