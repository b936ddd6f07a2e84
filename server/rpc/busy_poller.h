// How a thread that waits for clients looks again before it sleeps: for what they say, and for what workers say, so
// that neither has to wake anybody. Bounded by base::AdaptiveSpin. Not thread-safe: of that thread.
#pragma once

#include "absl/functional/function_ref.h"
#include "base/adaptive_spin.h"
#include "base/clock.h"
#include "core/types.h"
#include "gate/poll_source.h"

namespace poold::rpc {

class BusyPoller {
 public:
  // `poll_source` may be null: then it never looks. Both must outlive it.
  BusyPoller(const base::Clock* clock, gate::PollSource* poll_source, core::Nanos spin)
      : clock_(*clock), poll_source_(poll_source), spin_(poll_source == nullptr ? 0 : spin) {}

  // Call it before each sleep. `came`: takes the next event of the thread's own, if there is one now. True: there was.
  // False: it may sleep.
  bool Poll(absl::FunctionRef<bool()> came);
  // Call it when the thread ends.
  void Rearm();

 private:
  bool Begin();
  enum class Seen { kNothing, kPolled, kOwn };
  Seen PollUntilIdle(absl::FunctionRef<bool()> came);

  const base::Clock& clock_;
  gate::PollSource* const poll_source_;
  base::AdaptiveSpin spin_;
  bool took_ = false;
  // The poll source counts on it.
  bool suppressed_ = false;
};

}  // namespace poold::rpc
