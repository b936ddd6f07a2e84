// Kinds with a way of their own: what is looked at is not a rate of the same work by several drivers.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "figures.h"
#include "options.h"

namespace poold::bench {

bool IsOwnKind(const std::string& kind);

// REQUIRES: IsOwnKind(kind). Each starts daemons of its own, so that nothing that was before is in the figures.
absl::Status MeasureOwnKind(const std::string& kind, const BenchOptions& options, Figures& figures);

absl::Status MeasureQueue(const BenchOptions& options, Figures& figures);
absl::Status MeasureStart(const BenchOptions& options, Figures& figures);
absl::Status MeasureClients(const BenchOptions& options, Figures& figures);
absl::Status MeasureCost(const BenchOptions& options, Figures& figures);
absl::Status MeasureShards(const BenchOptions& options, Figures& figures);
absl::Status MeasureScale(const BenchOptions& options, Figures& figures);

}  // namespace poold::bench
