// What somebody who mistyped a name has meant: said in the refusal after the core's mutex was left, once for each call.
//
// Used by the thread that handles the call; not inside an event, nor while something is flushed. Ownership: the backend
// must outlive it.
#pragma once

#include "absl/status/status.h"
#include "rpc/backend.h"

namespace poold::rpc {

// POOL_NOT_FOUND or FUNCTION_NOT_FOUND.
bool IsUnknownName(const absl::Status& refusal);

// With the nearest name that there is, or which there are. REQUIRES: IsUnknownName.
absl::Status WithSuggestion(const absl::Status& refusal, const Backend& backend);

// For the refusals of one call: the first unknown name gets its suggestion wherever it comes again, others none.
class OneSuggestion {
 public:
  explicit OneSuggestion(const Backend& backend) : backend_(backend) {}
  void AddTo(absl::Status* refusal);

 private:
  const Backend& backend_;
  absl::Status asked_;
  absl::Status answer_;
};

}  // namespace poold::rpc
