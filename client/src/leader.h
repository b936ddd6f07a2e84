// Who reads: the thread that waits is the thread that polls, so that what it waits for comes to it without a hop.
//
// Role: one leader at a time pumps events; who waits while there is one sleeps, and leads when the leader has what it
// wanted. When nobody waits, a background thread leads: not at once, since who asks again and again (submit, get,
// submit, get) would have to take the lead back from it each time, at the price of two wakes. While nothing is to come
// it only looks now and then: all clients of a process share gRPC's one poller, and who sits there takes the events of
// the others and has to wake them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "handle_state.h"
#include "mutex.h"
#include "poold/client/internal/deadline.h"

namespace poold::client::internal {

// Guarded by the mutex that it is given; does not own it.
class Leader {
 public:
  using Clock = Deadline::Clock;
  // `waiter`: who waits for something of its own leads, and not the background thread.
  // Waits for one event until then, handles it, and whatever is due. True: there was one. Called without the mutex.
  using Pump = std::function<bool(Clock::time_point, bool waiter)>;

  Leader(Mutex* mu, Pump pump) : mu_(mu), pump_(std::move(pump)) {}

  // Leads or sleeps until the wait is over (true) or the deadline has passed. A cancellation of the thread takes place
  // here, and unwinds its stack: callers undo what they did. REQUIRES: the mutex is held.
  bool Await(Waiter* waiter, Deadline deadline);
  // Something lies here that needs a leader soon; ClearPending: no longer. REQUIRES: the mutex is held.
  void RequestPoll() {
    if (std::exchange(poll_requested_, true) || leading_ || first_waiting_ != nullptr) return;
    background_.Signal();
  }
  void ClearPending() { poll_requested_ = false; }
  // Something is about to be sent, and there will be something to come. Handles what came while nobody looked: the end
  // of a stream, for example, on which nothing should be sent any more. Leaves the mutex meanwhile. REQUIRES: the mutex
  // is held.
  void Resume();
  bool dozing() const { return dozing_; }
  // The background thread. Returns when `over` says so; `idle` says that nothing is to come, until Resume is called
  // (both are called with the mutex). REQUIRES: the mutex is not held.
  void RunBackground(const std::function<bool()>& over, const std::function<bool()>& idle);
  void WakeBackground() { background_.Signal(); }

 private:
  // The mutex is a session's, under a name that the analysis cannot follow.
  bool Lead(Clock::time_point until, bool waiter) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void PassOn();
  void WaitAsFollower(Waiter* waiter, Deadline until);
  void Enter(Waiter* waiter);
  void Leave(Waiter* waiter);
  void Rest();
  void Sleep();

  // Constant after construction.
  Mutex* const mu_;
  const Pump pump_;

  // Guarded by *mu_.
  CondVar background_;
  Waiter* first_waiting_ = nullptr;
  bool leading_ = false;
  bool poll_requested_ = false;
  bool dozing_ = false;
  Clock::time_point leading_since_{};
  // Counts leads by those who wait.
  std::uint64_t leads_ = 0;
};

}  // namespace poold::client::internal
