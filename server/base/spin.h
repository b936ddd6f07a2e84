// How long a thread looks again and again before it sleeps, and when it had better not.
//
// A thread that sleeps is woken at the price of tens of microseconds on machines that are otherwise idle: most of what a
// single small task takes. One that looks again for some microseconds needs no wake, but takes a core meanwhile. So it is
// bounded; and where the kernel takes the core away from it in many of these moments (others have use for it) it stays
// away for a while, twice as long each time until a second. The pauses shrink as it goes well.
// Not thread-safe: of one thread. Reads no clock: times are monotonic nanoseconds.
#pragma once

#include <cstdint>

namespace poold::base {

class Spin {
 public:
  // 0: never.
  explicit Spin(std::int64_t most_ns) : most_(most_ns) {}

  // Something has come just now: looking again may be worth while. False: sleep.
  bool Begin(std::int64_t now) {
    if (most_ <= 0 || now < resume_at_) return false;
    until_ = now + most_;
    return true;
  }
  bool Goes(std::int64_t now) const { return now < until_; }
  // `preemptions`: how often the kernel has ever taken the core from this thread (OwnPreemptions).
  void End(std::int64_t now, std::int64_t preemptions);

 private:
  const std::int64_t most_;
  std::int64_t until_ = 0;
  std::int64_t resume_at_ = 0;
  std::int64_t pause_ = 0;
  // Since it was judged last.
  int spins_ = 0;
  std::int64_t preemptions_before_ = 0;
};

// Of the calling thread.
std::int64_t OwnPreemptions();

}  // namespace poold::base
