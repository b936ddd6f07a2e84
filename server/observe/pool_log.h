// PoolLog: logs changes of pools from one look to the next.
//
// Thread safety: none; one thread looks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/views.h"

namespace poold::observe {

class PoolLog {
 public:
  // Logs each change of state and of start failures since the last call. A pool that is not among `pools` is forgotten.
  void Look(const std::vector<core::PoolView>& pools);

  // Whether a pool is on its way from one state to another, so that the next look should come soon.
  bool anything_moves() const { return anything_moves_; }

 private:
  // A pool at the last look.
  struct Seen {
    core::PoolState state = core::PoolState::kUnspecified;
    bool starts_fail = false;
  };
  std::map<std::string, Seen> seen_;
  bool anything_moves_ = false;
};

}  // namespace poold::observe
