// Lets one thread at a time write to a stream. Thread-safe.
#pragma once

#include <atomic>

namespace poold::transport {

// Whoever comes while another has the turn leaves its things to that one.
class FlushGuard {
 public:
  // False: another has it, and will look again.
  bool TryBegin() {
    int state = kFree;
    while (true) {
      if (state == kAgain) return false;
      if (state_.compare_exchange_weak(state, state == kFree ? kBusy : kAgain)) return state == kFree;
    }
  }
  // False: somebody came meanwhile: look again.
  bool TryEnd() {
    int state = kBusy;
    if (state_.compare_exchange_strong(state, kFree)) return true;
    state_ = kBusy;
    return false;
  }

 private:
  static constexpr int kFree = 0;
  static constexpr int kBusy = 1;
  static constexpr int kAgain = 2;
  std::atomic<int> state_ = kFree;
};

}  // namespace poold::transport
