// Jittered: a random pause, so that the pauses of many clients do not end together.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

#include "poold/client/options.h"

namespace poold::client::internal {

// Between `pause` and twice `pause`. A pause counts as at least zero and at most an hour. Any thread may call.
inline Duration Jittered(Duration pause) {
  pause = std::clamp<Duration>(pause, Duration::zero(), std::chrono::hours(1));
  thread_local std::minstd_rand random(std::random_device{}());
  return pause + Duration(std::uniform_int_distribution<std::int64_t>(0, pause.count())(random));
}

}  // namespace poold::client::internal
