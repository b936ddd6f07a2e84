// BusyPoller: busy polling of a thread that waits for clients. Before the thread sleeps it polls its own events and
// those of workers for a while, so that neither clients nor workers have to wake it.
//
// Bounds: base::AdaptiveSpin. Threads: that thread alone uses it. Ownership: owns neither clock nor poll source.
#pragma once

#include "absl/functional/function_ref.h"
#include "base/adaptive_spin.h"
#include "base/clock.h"
#include "core/types.h"
#include "engine/poll_source.h"

namespace poold::transport {

class BusyPoller {
 public:
  // With a null `poll_source` it never polls. `clock` and `poll_source` must outlive it.
  BusyPoller(const base::Clock* clock, engine::PollSource* poll_source, core::Nanos spin)
      : clock_(*clock), poll_source_(poll_source), spin_(poll_source == nullptr ? 0 : spin) {}

  // Polls. Call before each sleep. `came` takes the thread's own next event, and returns whether there was one. True:
  // an event was taken. False: the thread may sleep.
  bool Poll(absl::FunctionRef<bool()> came);
  // Gives the poll source back. Call when the thread ends.
  void Rearm();

 private:
  bool Begin();
  // What a stretch of polling found: nothing; events of the poll source; an event of the thread itself.
  enum class Seen { kNothing, kPolled, kOwn };
  Seen PollUntilIdle(absl::FunctionRef<bool()> came);

  const base::Clock& clock_;
  engine::PollSource* const poll_source_;
  base::AdaptiveSpin spin_;
  // The poll source is taken by this thread.
  bool took_ = false;
  // Whether the poll source wakes nobody, because it counts on this thread.
  bool suppressed_ = false;
};

}  // namespace poold::transport
