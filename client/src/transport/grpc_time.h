// GrpcIn: moments of the monotonic clock for gRPC. gRPC's own conversions from std::chrono use the wall clock, which
// may be set during a wait.
#pragma once

#include <grpc/support/time.h>

#include <chrono>

#include "poold/client/options.h"

namespace poold::client::internal {

// `left` from now; kForever never comes.
inline gpr_timespec GrpcIn(Duration left) {
  if (left == kForever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(left);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanos.count(), GPR_TIMESPAN));
}

}  // namespace poold::client::internal
