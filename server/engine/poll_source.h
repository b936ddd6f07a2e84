// PollSource: a source of events that a busy-polling thread may drain on behalf of the thread that owns it.
#pragma once

#include <atomic>

namespace poold::engine {

// Threads: Take is thread-safe; Poll, Rearm and Release are called by the thread that has taken the source, without the
// core's mutex. Poll and Rearm may enter the gate.
class PollSource {
 public:
  enum class PollResult {
    // No event has come.
    kNone,
    // Events were taken.
    kTaken,
    // Nothing was taken: so many events are under way that polling for each would only disturb. Call Rearm, if an
    // earlier Poll gave another result, and sleep.
    kTooMuch,
  };

  virtual ~PollSource() = default;
  // Takes the source. False: another thread has it.
  bool Take() { return !taken_.exchange(true, std::memory_order_acquire); }
  // Gives the source back, after Rearm.
  void Release() { taken_.store(false, std::memory_order_release); }
  // Takes the events that have come, without waiting. From here on new events wake no thread: the caller polls again
  // within microseconds, or calls Rearm.
  virtual PollResult Poll() = 0;
  // Takes the events that have come. Later ones wake a thread again.
  virtual void Rearm() = 0;

 private:
  std::atomic<bool> taken_ = false;
};

}  // namespace poold::engine
