// AdaptiveSpin: decides whether a thread polls for some microseconds before it sleeps.
//
// A wake costs tens of microseconds on machines that are otherwise idle: most of the time of a single small task. A
// thread that polls needs no wake, but occupies a core. Therefore polling is bounded; and where polls find nothing, or
// other threads have the core for much of the time (not just for as long as a thread that was woken may run), the
// thread stops polling for a while, twice as long each time up to a second. The pauses shrink while polls succeed.
// Thread safety: none; each thread has its own. Reads no clock: times are monotonic nanoseconds.
#pragma once

#include <cstdint>

namespace poold::base {

class AdaptiveSpin {
 public:
  // The longest poll in ns. 0: never poll.
  explicit AdaptiveSpin(std::int64_t most_ns) : most_(most_ns) {}

  // Asks to poll after something came. False: sleep.
  bool Begin(std::int64_t now) {
    if (most_ <= 0 || now < resume_at_) return false;
    until_ = now + most_;
    return true;
  }
  // Whether the poll goes on. REQUIRES: Begin returned true.
  bool Goes(std::int64_t now) const { return now < until_; }
  // Ends the poll. `found`: something came. `lost`: the ns of the poll in which other threads had the core.
  void End(std::int64_t now, bool found, std::int64_t lost);

 private:
  void Pause(std::int64_t now);

  const std::int64_t most_;
  // The end of this poll, the moment from which polls are tried again, and the last pause, in ns.
  std::int64_t until_ = 0;
  std::int64_t resume_at_ = 0;
  std::int64_t pause_ = 0;
  // Polls since the last judgement, and the ns that they lost.
  int spins_ = 0;
  std::int64_t lost_ = 0;
  // Polls in a row that found nothing.
  int in_vain_ = 0;
};

// The ns for which the calling thread has had a core since its start.
std::int64_t OwnCpuTime();

}  // namespace poold::base
