// The session's mutex, which every submission takes.
//
// A mutex of the C++ library with the names of Abseil's: Debian builds Abseil with its search for deadlocks switched
// on, and an application's Abseil is not ours to set. There a lock takes 35 ns; here it takes 11.
#pragma once

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "poold/client/internal/deadline.h"

namespace poold::client::internal {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) { mu_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mu_;
};

// Waits end by chance, too. REQUIRES, of waits: the mutex is held.
class CondVar {
 public:
  void Wait(Mutex* mu) {
    Lent lent(mu);
    woken_.wait(lent.lock);
  }
  void WaitWithDeadline(Mutex* mu, const Deadline& deadline) {
    if (deadline.never()) return Wait(mu);
    Lent lent(mu);
    woken_.wait_until(lent.lock, deadline.at());
  }
  // Of those who wait, one.
  void Signal() { woken_.notify_one(); }

 private:
  // The mutex, as the C++ library wants it for a wait. It stays with whoever holds it, however the wait is left.
  struct Lent {
    explicit Lent(Mutex* mu) : lock(mu->mu_, std::adopt_lock) {}
    ~Lent() { lock.release(); }
    std::unique_lock<std::mutex> lock;
  };

  std::condition_variable woken_;
};

}  // namespace poold::client::internal
