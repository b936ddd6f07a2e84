// How well starts go, and when the next one may be tried: of one generation of a pool, its zygotes and its workers.
//
// What fails together counts as one try: a *round* ends with each pause. What others do (a shortage of the machine, a
// kill from outside) is no fault of what is started, and is tried again without end. What was ready and ended early
// without having done anything was perhaps killed from outside, and will be again and again: the first time it is
// replaced at once, then after growing pauses, for as long as it takes.
// Role: counts and pauses. Non-role: starts nothing, gives nothing up; its callers do.
// Invariants (Check): there is a reason exactly while there are failures; own failures are failures.
#pragma once

#include <cstdint>
#include <string>

#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

// What was ready for so long was well, even if it did nothing.
inline constexpr Nanos kLivedAWhile = 10 * kSecond;

class StartTries {
 public:
  // `owner`: of the timer, whose kind is TimerKind::kPoolStart. Both outlive it. REQUIRES: it ends with Cease.
  StartTries(Timers* timers, void* owner) : timers_(timers), owner_(owner) {}
  StartTries(const StartTries&) = delete;
  StartTries& operator=(const StartTries&) = delete;

  // The present round: who starts something takes it along.
  std::uint32_t round() const { return round_; }
  // There is a pause before the next try.
  bool pauses() const { return timer_ != kNoTimer; }
  // When it ends; kNever: there is none.
  Nanos next_try() const { return timers_->When(timer_); }

  // A start of this round has failed. False: it counts with others that failed.
  bool Failed(std::uint32_t round, LossCause cause);
  // Whether starts failed so often by their own fault that they will fail again. Only a pool that never ran is given up
  // for that.
  bool is_hopeless() const;
  // Pauses. Call after Failed, unless the pool was given up. True: it is the first failure since something started.
  bool TryAgain(Nanos now, std::string why, LossCause cause);
  // A process of this round that was ready has ended without having done anything. `wanted`: it has to be replaced.
  void Ended(Nanos now, std::uint32_t round, Nanos lived, bool wanted);
  // A process did work.
  void Worked() { early_ends_ = 0; }
  // A process is ready. True: there was a failure before.
  bool Started();
  // The pause is over: a new round begins.
  void PauseIsOver() { ++round_; }
  // Ends the pause: nothing more is started, or not before something else asks for it.
  void Cease() { timers_->Clear(&timer_); }

  // The latest failure since something started; empty: there was none.
  const std::string& failure() const { return failure_; }
  LossCause cause() const { return cause_; }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  Timers* const timers_;
  void* const owner_;
  // The end of the pause before the next try (TimerKind::kPoolStart).
  TimerId timer_ = kNoTimer;
  std::uint32_t round_ = 0;
  // Rounds that failed, one after the other.
  std::uint32_t failures_ = 0;
  // Those of them that failed by their own fault.
  std::uint32_t own_failures_ = 0;
  // Ends of processes that had done nothing, one after the other.
  std::uint32_t early_ends_ = 0;
  std::string failure_;
  // Of `failure_`.
  LossCause cause_ = LossCause::kItself;
};

}  // namespace poold::core
