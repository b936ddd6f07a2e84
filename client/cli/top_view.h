#pragma once

#include <string>

#include "poold/v1/pool_service.pb.h"

// What `poolctl top` shows, as text. No I/O.
namespace poold::cli {

// Everything at one moment.
struct TopLook {
  // In seconds, of any clock that goes on steadily.
  double at = 0;
  // Wall clock, for ages.
  double now = 0;
  v1::ListPoolsResponse pools;
  v1::GetStatsResponse stats;
  // That run.
  v1::ListTasksResponse tasks;
};

// Rates come from the difference of two looks; without an earlier one (at == 0) there are none.
std::string TopText(const TopLook& before, const TopLook& look);

}  // namespace poold::cli
