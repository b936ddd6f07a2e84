// Mutex, MutexLock and CondVar: the session's mutex, which every submission takes.
//
// A mutex of the C++ library with the names of Abseil's: Debian builds Abseil with its search for deadlocks switched
// on, and the SDK cannot change an application's Abseil. There a lock takes 35 ns, here 11.
#pragma once

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "poold/client/internal/deadline.h"

namespace poold::client::internal {

// Not recursive. Not for processes that share memory.
class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

// Holds the mutex while it lives.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) { mu_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mu_;
};

// A wait may end without a signal. REQUIRES, of waits: the mutex is held; the wait releases and takes it again.
class CondVar {
 public:
  // Waits for a signal.
  void Wait(Mutex* mu) {
    Lent lent(mu);
    woken_.wait(lent.lock);
  }
  // Waits for a signal, at most until the deadline.
  void WaitWithDeadline(Mutex* mu, const Deadline& deadline) {
    if (deadline.never()) return Wait(mu);
    Lent lent(mu);
    woken_.wait_until(lent.lock, deadline.at());
  }
  // Wakes one of the waiting threads.
  void Signal() { woken_.notify_one(); }

 private:
  // The mutex in the form that the C++ library's wait takes. The caller holds the mutex afterwards, however the wait is
  // left.
  struct Lent {
    explicit Lent(Mutex* mu) : lock(mu->mu_, std::adopt_lock) {}
    ~Lent() { lock.release(); }
    std::unique_lock<std::mutex> lock;
  };

  std::condition_variable woken_;
};

}  // namespace poold::client::internal
