// Leader: makes the thread that waits the thread that polls, so that an awaited event reaches its thread without a hop.
//
// Role: one leader at a time polls events. Other waiting threads sleep; one of them leads when the leader has its
//   result. While no thread waits, a background thread leads: not at once, because a thread that waits again and again
//   (submit, get, submit, get) would have to take the lead back each time, at the price of two wakes. While no event
//   can come, the background thread polls once in a while only: all clients of a process share gRPC's one poller, and a
//   thread that stays there takes the events of others and has to wake their threads.
// Thread safety: guarded by the mutex that the leader is given and does not own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "poold/client/internal/deadline.h"
#include "session/handle_state.h"
#include "session/mutex.h"

namespace poold::client::internal {

class Leader {
 public:
  using Clock = Deadline::Clock;
  // Waits for one event until the given moment, handles the event and everything that is due. True: an event came.
  // `waiter`: a waiting thread leads, and not the background thread. Called without the mutex.
  using Pump = std::function<bool(Clock::time_point, bool waiter)>;

  Leader(Mutex* mu, Pump pump) : mu_(mu), pump_(std::move(pump)) {}

  // Leads or sleeps until the wait is over (true) or the deadline has passed (false). The thread may be cancelled here,
  // which unwinds its stack: callers undo their work in destructors. REQUIRES: the mutex is held.
  bool Await(Waiter* waiter, Deadline deadline);
  // Asks for a leader soon, because something waits to be sent. REQUIRES: the mutex is held.
  void RequestPoll() {
    if (std::exchange(poll_requested_, true) || leading_ || first_waiting_ != nullptr) return;
    background_.Signal();
  }
  // Withdraws RequestPoll. REQUIRES: the mutex is held.
  void ClearPending() { poll_requested_ = false; }
  // Ends the background thread's long pauses before something is sent, and handles the events that came during the
  // pause: the end of a stream, for example, on which nothing should be sent. Releases the mutex meanwhile. REQUIRES:
  // the mutex is held.
  void Resume();
  // Whether the background thread polls once in a while only.
  bool dozing() const { return dozing_; }
  // Runs the background thread until `over` returns true. `idle` tells that no event can come until Resume is called.
  // Both are called with the mutex. REQUIRES: the mutex is not held.
  void RunBackground(const std::function<bool()>& over, const std::function<bool()>& idle);
  // Makes the background thread look at `over` and `idle` again.
  void WakeBackground() { background_.Signal(); }

 private:
  // Without analysis of the annotations: the mutex belongs to a session, under a name that the analysis cannot follow.
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
  // Counts leads by waiting threads.
  std::uint64_t leads_ = 0;
};

}  // namespace poold::client::internal
