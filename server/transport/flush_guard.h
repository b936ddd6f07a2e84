// FlushGuard: lets one thread at a time write to a stream.
//
// Threads: thread-safe, without a lock. Ownership: owned by the stream.
#pragma once

#include <atomic>

namespace poold::transport {

// A thread that comes while another one has the turn leaves its work to that one.
class FlushGuard {
 public:
  // Takes the turn. False: another thread has it, and will look again.
  bool TryBegin() {
    int state = kFree;
    while (true) {
      if (state == kAgain) return false;
      if (state_.compare_exchange_weak(state, state == kFree ? kBusy : kAgain)) return state == kFree;
    }
  }
  // Gives the turn back. False: another thread came meanwhile, so the caller keeps the turn and looks again.
  bool TryEnd() {
    int state = kBusy;
    if (state_.compare_exchange_strong(state, kFree)) return true;
    state_ = kBusy;
    return false;
  }

 private:
  // Nobody has the turn; one thread has it; one thread has it and another one came meanwhile.
  static constexpr int kFree = 0;
  static constexpr int kBusy = 1;
  static constexpr int kAgain = 2;
  std::atomic<int> state_ = kFree;
};

}  // namespace poold::transport
