// Moments as gRPC takes them, by the monotonic clock: its functions for moments of C++ know the wall clock only, which
// may be set while somebody waits.
#pragma once

#include <grpc/support/time.h>

#include <chrono>

#include "poold/client/options.h"

namespace poold::client::internal {

// So long from now. kForever stays for ever.
inline gpr_timespec GrpcIn(Duration left) {
  if (left == kForever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(left);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanos.count(), GPR_TIMESPAN));
}

}  // namespace poold::client::internal
