#pragma once

#include <cstdio>
#include <cstdlib>

namespace poold::cost {

// The history did not go as it was recorded: what was counted is of no use.
[[noreturn]] inline void GiveUp(const char* what) {
  std::fprintf(stderr, "task_cost: %s\n", what);
  std::abort();
}

}  // namespace poold::cost
