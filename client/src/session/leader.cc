#include "session/leader.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "session/cancellation.h"

namespace poold::client::internal {
namespace {

// A pause between two waits that is shorter than this is not worth the background thread's while.
constexpr auto kRest = std::chrono::milliseconds(5);
// More than happens to an idle client in a second.
constexpr int kMostMissed = 64;
// Who waits looks up this often when nothing happens: for a cancellation of its thread, and the background thread for
// all else.
constexpr auto kNothingHappens = std::chrono::seconds(1);

}  // namespace

void Leader::Enter(Waiter* waiter) {
  waiter->next_waiting = first_waiting_;
  waiter->waiting = true;
  first_waiting_ = waiter;
}

void Leader::Leave(Waiter* waiter) {
  for (Waiter** at = &first_waiting_; *at != nullptr; at = &(*at)->next_waiting) {
    if (*at != waiter) continue;
    *at = waiter->next_waiting;
    break;
  }
  waiter->waiting = false;
}

// A pump may be left by an exception: whoever leads next finds everything in its place.
bool Leader::Lead(Clock::time_point until, bool waiter) {
  const NotCancelled not_cancelled;
  leading_ = true;
  mu_->Unlock();
  const absl::Cleanup leave = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mu_->Lock();
    leading_ = false;
  };
  return pump_(until, waiter);
}

void Leader::Resume() {
  if (!std::exchange(dozing_, false)) return;
  background_.Signal();
  for (int events = 0; events < kMostMissed && !leading_ && Lead(Clock::now(), false); ++events) continue;
  PassOn();
}

// Somebody else who waits takes the lead. Without one the background thread will, in its time; at once when it counted
// on this lead to last.
void Leader::PassOn() {
  if (leading_) return;
  if (first_waiting_ != nullptr) {
    first_waiting_->wake.Signal();
  } else if (poll_requested_ || Clock::now() - leading_since_ > kRest / 2) {
    background_.Signal();
  }
}

bool Leader::Await(Waiter* waiter, Deadline deadline) {
  bool led = false;
  const absl::Cleanup pass_on = [this] { PassOn(); };
  while (!waiter->over() && !deadline.passed()) {
    const Clock::time_point until = std::min(deadline.at(), Clock::now() + kNothingHappens);
    if (!leading_) {
      if (!std::exchange(led, true)) leading_since_ = Clock::now();
      ++leads_;
      Lead(until, true);
    } else {
      WaitAsFollower(waiter, Deadline::At(until));
    }
    CancellationPoint();
  }
  return waiter->over();
}

void Leader::WaitAsFollower(Waiter* waiter, Deadline until) {
  const NotCancelled not_cancelled;
  Enter(waiter);
  waiter->wake.WaitWithDeadline(mu_, until);
  Leave(waiter);
}

// Sleeps for a moment, or until the present leader leaves when it has led for long.
void Leader::Rest() {
  if (leading_ && Clock::now() - leading_since_ > kRest / 2) {
    background_.Wait(mu_);
  } else {
    background_.WaitWithDeadline(mu_, Deadline(kRest));
  }
}

void Leader::Sleep() {
  dozing_ = true;
  background_.WaitWithDeadline(mu_, Deadline(kNothingHappens));
  dozing_ = false;
}

void Leader::RunBackground(const std::function<bool()>& over, const std::function<bool()>& idle) {
  MutexLock lock(mu_);
  std::uint64_t leads_seen = 0;
  while (!over()) {
    const bool quiet = !leading_ && first_waiting_ == nullptr;
    if (quiet && (std::exchange(poll_requested_, false) || leads_ == std::exchange(leads_seen, leads_))) {
      leading_since_ = Clock::now();
      const bool nothing_to_come = idle();
      Lead(nothing_to_come ? leading_since_ : leading_since_ + kNothingHappens, false);
      poll_requested_ = false;
      if (first_waiting_ != nullptr) {
        // Whoever waits leads from now on.
        PassOn();
        leads_seen = leads_ - 1;
        Rest();
      } else if (nothing_to_come && idle()) {
        Sleep();
      }
    } else {
      leads_seen = leads_;
      Rest();
    }
  }
}

}  // namespace poold::client::internal
