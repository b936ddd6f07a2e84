// What a thread that does not sleep looks after, beside its own events.
#pragma once

namespace poold::gate {

// Called by one thread, without the core's mutex; it may enter the gate.
class Companion {
 public:
  enum class News {
    kNone,
    kTaken,
    // There is so much under way that waiting for each piece of it would only disturb: call Rest and sleep.
    kMuch,
  };

  virtual ~Companion() = default;
  // Takes what has come, without waiting. From here on what comes need not wake anybody: the caller looks again within
  // microseconds, or calls Rest.
  virtual News Look() = 0;
  // Takes what has come. What comes later wakes a thread again.
  virtual void Rest() = 0;
};

}  // namespace poold::gate
