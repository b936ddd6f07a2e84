#include "api/suggest.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "core/errors.h"

namespace poold::api {
namespace {

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

bool IsUnknownName(const absl::Status& refusal) {
  if (!absl::IsNotFound(refusal)) return false;
  const std::string reason = core::DetailOf(refusal).reason;
  return reason == "POOL_NOT_FOUND" || reason == "FUNCTION_NOT_FOUND";
}

absl::Status WithSuggestion(const absl::Status& refusal, const ServiceContext& context) {
  const core::ErrorDetail detail = core::DetailOf(refusal);
  const std::string hint =
      detail.pool.empty() ? PoolHint(detail.subject, context) : FunctionHint(detail.subject, detail.pool, context);
  return core::MakeError(refusal.code(), detail.reason, absl::StrCat(refusal.message(), hint), detail.subject);
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
