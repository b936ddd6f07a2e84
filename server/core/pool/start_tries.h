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

  // What was started in this round did not start. False: it counts with others that failed.
  bool Failed(std::uint32_t round, LossCause cause);
  // Failed so often by its own fault that it will not start. Only what never ran is given up for that.
  bool is_hopeless() const;
  // After Failed, unless it was given up: pauses. True: it is the first failure since something started.
  bool TryAgain(Nanos now, std::string why, LossCause cause);
  // What was ready, from this round, ended without having done anything. `wanted`: it has to be replaced.
  void Ended(Nanos now, std::uint32_t round, Nanos lived, bool wanted);
  // Something did work.
  void Worked() { early_ends_ = 0; }
  // Something is ready. True: there was a failure before.
  bool Started();
  // The pause is over: a new round begins.
  void PauseIsOver() { ++round_; }
  // Nothing more is started, or not before something else asks for it: without the pause.
  void Cease() { timers_->Clear(&timer_); }

  // The latest failure since something started; empty: there was none.
  const std::string& failure() const { return failure_; }
  LossCause cause() const { return cause_; }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  Timers* const timers_;
  void* const owner_;
  TimerId timer_ = kNoTimer;  // the pause before the next try
  std::uint32_t round_ = 0;
  std::uint32_t failures_ = 0;      // rounds, one after the other
  std::uint32_t own_failures_ = 0;  // of these, by its own fault
  std::uint32_t early_ends_ = 0;    // one after the other
  std::string failure_;
  LossCause cause_ = LossCause::kItself;  // of that one
};

}  // namespace poold::core
