// NotCancelled and CancellationPoint: threads that are cancelled (pthread_cancel) in a call of the client, or that
// cancel themselves in a callback.
//
// The client reads and writes sockets, and so does gRPC: a thread that vanished there would leave work half done for
// all others. Therefore a thread is cancelled at one place only, where it holds nothing: while it waits, at least once
// a second.
#pragma once

#include <pthread.h>

namespace poold::client::internal {

// Disables cancellation of the calling thread, except at CancellationPoint. Objects nest. REQUIRES: lives on the stack.
class NotCancelled {
 public:
  NotCancelled() {
    if (depth_++ == 0) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
  }
  ~NotCancelled() {
    if (--depth_ == 0) pthread_setcancelstate(before_, nullptr);
  }
  NotCancelled(const NotCancelled&) = delete;
  NotCancelled& operator=(const NotCancelled&) = delete;

 private:
  friend void CancellationPoint();
  static inline thread_local int depth_ = 0;
  static inline thread_local int before_ = PTHREAD_CANCEL_ENABLE;
};

// Cancels the thread if a cancellation is pending and the thread's owner allowed it: the stack is unwound, as by an
// exception. REQUIRES: no lock is held that unwinding does not release.
inline void CancellationPoint() {
  if (NotCancelled::depth_ != 0) pthread_setcancelstate(NotCancelled::before_, nullptr);
  pthread_testcancel();
  if (NotCancelled::depth_ != 0) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
}

}  // namespace poold::client::internal
