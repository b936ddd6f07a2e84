// Busy polling of a thread that waits for clients: before it sleeps it polls its own events and those of workers for a
// while, so that neither clients nor workers have to wake it. Bounded by base::AdaptiveSpin. Not thread-safe: used by
// that thread only.
#pragma once

#include "absl/functional/function_ref.h"
#include "base/adaptive_spin.h"
#include "base/clock.h"
#include "core/types.h"
#include "engine/poll_source.h"

namespace poold::transport {

class BusyPoller {
 public:
  // `poll_source` may be null: then it never looks. Both must outlive it.
  BusyPoller(const base::Clock* clock, engine::PollSource* poll_source, core::Nanos spin)
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
  engine::PollSource* const poll_source_;
  base::AdaptiveSpin spin_;
  bool took_ = false;
  // The poll source counts on it.
  bool suppressed_ = false;
};

}  // namespace poold::transport
