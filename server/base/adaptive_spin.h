// How long a thread looks again and again before it sleeps, and when it had better not.
//
// A thread that sleeps is woken at the price of tens of microseconds on machines that are otherwise idle: most of what
// a single small task takes. One that looks again for some microseconds needs no wake, but takes a core meanwhile. So
// it is bounded; and where nothing comes in these moments, or others have the core for much of them (not just for as
// long as whom it wakes may run), it stays away for a while, twice as long each time until a second. The pauses shrink
// as it goes well. Not thread-safe: of one thread. Reads no clock: times are monotonic nanoseconds.
#pragma once

#include <cstdint>

namespace poold::base {

class AdaptiveSpin {
 public:
  // 0: never.
  explicit AdaptiveSpin(std::int64_t most_ns) : most_(most_ns) {}

  // Something has come just now: looking again may be worth while. False: sleep.
  bool Begin(std::int64_t now) {
    if (most_ <= 0 || now < resume_at_) return false;
    until_ = now + most_;
    return true;
  }
  bool Goes(std::int64_t now) const { return now < until_; }
  // `found`: something came. `lost`: for how long, since it began, it could not look because others had the core.
  void End(std::int64_t now, bool found, std::int64_t lost);

 private:
  void Pause(std::int64_t now);

  const std::int64_t most_;
  std::int64_t until_ = 0;
  std::int64_t resume_at_ = 0;
  std::int64_t pause_ = 0;
  // Since it was judged last.
  int spins_ = 0;
  std::int64_t lost_ = 0;
  // In a row in which nothing came.
  int in_vain_ = 0;
};

// How long the calling thread has ever had a core.
std::int64_t OwnCpuTime();

}  // namespace poold::base
