// The page of `poolctl top`, as text. Pure functions.
#pragma once

#include <string>

#include "poold/v1/pool_service.pb.h"

namespace poold::cli {

// Everything that the page shows, at one moment.
struct TopLook {
  // The moment in seconds of a monotonic clock; 0: no look yet.
  double at = 0;
  // The wall clock in seconds, for ages.
  double now = 0;
  v1::ListPoolsResponse pools;
  v1::GetStatsResponse stats;
  // The running tasks.
  v1::ListTasksResponse tasks;
};

// The page. Rates come from the difference of the two looks; without an earlier one (at == 0) the page shows none.
std::string TopText(const TopLook& before, const TopLook& look);

}  // namespace poold::cli
