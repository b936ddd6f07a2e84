// Gate: the one mutex of a core. Every event enters the core through the gate, on the thread that brings it, once for
// each batch.
//
// Role: takes the mutex, reads the clock, runs the event and a slice of unfinished work, leaves the mutex, flushes
// every outbox, and destroys what the core dropped. Non-role: decides nothing.
// Threads: thread-safe; under the mutex nothing makes a system call or ends a payload (base/quiet.h). Lock order: a
// gate is outermost; no lock is held when it is entered.
// Ownership: does not own the core, the clock or the outboxes; they must outlive it. Errors: none of its own; the
// event's result is passed on.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/quiet.h"
#include "core/core.h"
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace poold::engine {

// Tells ThreadSanitizer that a mutex is held: Debian's Abseil is built without it, so it would not know.
class KnownToSanitizer {
 public:
#ifdef __SANITIZE_THREAD__
  explicit KnownToSanitizer(void* mutex) : mutex_(mutex) { __tsan_acquire(mutex_); }
  ~KnownToSanitizer() { __tsan_release(mutex_); }

 private:
  void* const mutex_;
#else
  explicit KnownToSanitizer(void*) {}
#endif
};

// A port that collects the core's demands under the mutex and meets them after the mutex was left.
class Outbox {
 public:
  virtual ~Outbox() = default;
  // Meets the collected demands, if there are any. Called without the mutex by any thread. One flusher at a time writes
  // to each stream or channel; another one that comes meanwhile leaves its work to the first. `next_timer`: the core's
  // next timer when the mutex was left.
  virtual void Flush(core::Nanos next_timer) = 0;
};

class Gate {
 public:
  Gate(core::Core* core, const base::Clock* clock) : core_(core), clock_(clock) {}

  // Adds an outbox. Call before the first Enter.
  void AddOutbox(Outbox* outbox) { outboxes_.push_back(outbox); }

  // Runs `event(core, now)` under the mutex, then flushes. Never call it from inside an event or from Flush.
  template <typename Event>
  auto Enter(Event&& event) {
    Leave leave{this};
    absl::MutexLock lock(&mu_);
    const KnownToSanitizer known(&mu_);
    const base::Quiet quiet;
    // Written under the mutex only: no locked addition.
    entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return RunEvent(std::forward<Event>(event), &leave);
  }

  // The number of times that the mutex was taken, which shows how well events come in batches.
  std::uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }

 private:
  // Flushes the outboxes at its end, which comes after the end of the lock, because the lock is declared later. Then
  // destroys what the core dropped.
  struct Leave {
    Gate* gate;
    // NextTimer() when the mutex was left.
    core::Nanos next_timer = core::kNever;
    // The thread's Taken() has something to destroy.
    bool drops = false;
    ~Leave() {
      for (Outbox* outbox : gate->outboxes_) outbox->Flush(next_timer);
      if (drops) DestroyDropped();
    }
  };
  // The things that the core dropped in this thread's event. The memory of the list is used again.
  static core::Dropped::Things& Taken() {
    static thread_local core::Dropped::Things taken;
    return taken;
  }
  static void DestroyDropped() {
    constexpr std::size_t kMostKept = 4096;
    core::Dropped::Things& taken = Taken();
    taken.clear();
    if (taken.capacity() > kMostKept) core::Dropped::Things().swap(taken);
  }

  template <typename Event>
  auto RunEvent(Event&& event, Leave* leave) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    struct ReadTimer {
      Gate* gate;
      Leave* leave;
      core::Nanos now;
      ~ReadTimer() {
        core::Core& core = *gate->core_;
        leave->next_timer = core.OnLeave(now);
        if (core.dropped().empty()) return;
        leave->drops = true;
        core.dropped().Swap(&Taken());
      }
    } read_timer{this, leave, clock_->Now()};
    return std::forward<Event>(event)(*core_, read_timer.now);
  }

  // Touched with `mu_` held only.
  core::Core* const core_ ABSL_PT_GUARDED_BY(mu_);
  const base::Clock* const clock_;
  std::vector<Outbox*> outboxes_;  // constant after the first Enter
  absl::Mutex mu_;
  std::atomic<std::uint64_t> entries_ = 0;
};

}  // namespace poold::engine
