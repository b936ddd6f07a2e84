// A source of events that a busy-polling thread may drain on behalf of the thread that owns it.
#pragma once

#include <atomic>

namespace poold::engine {

// Look and Rest are called by the thread that has taken it, without the core's mutex; they may enter the gate.
class PollSource {
 public:
  enum class PollResult {
    kNone,
    kTaken,
    // There is so much under way that waiting for each piece of it would only disturb: nothing was taken. Call Rest,
    // where an earlier Look said something else, and sleep.
    kTooMuch,
  };

  virtual ~PollSource() = default;
  // False: another thread looks after it. Thread-safe.
  bool Take() { return !taken_.exchange(true, std::memory_order_acquire); }
  // After Rest.
  void Release() { taken_.store(false, std::memory_order_release); }
  // Takes what has come, without waiting. From here on what comes need not wake anybody: the caller looks again within
  // microseconds, or calls Rest.
  virtual PollResult Poll() = 0;
  // Takes what has come. What comes later wakes a thread again.
  virtual void Rearm() = 0;

 private:
  std::atomic<bool> taken_ = false;
};

}  // namespace poold::engine
