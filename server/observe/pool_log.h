// Logs what becomes of pools, from one look at them to the next.
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
  void Look(const std::vector<core::PoolView>& pools);

  // A pool is on its way from one state to another, so that it is worth looking again soon.
  bool anything_moves() const { return anything_moves_; }

 private:
  struct Seen {
    core::PoolState state = core::PoolState::kUnspecified;
    bool starts_fail = false;
  };
  std::map<std::string, Seen> seen_;
  bool anything_moves_ = false;
};

}  // namespace poold::observe
