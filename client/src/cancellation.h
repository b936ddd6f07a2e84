// Threads that are cancelled (pthread_cancel) in a call of the client, or cancel themselves in a callback.
//
// The client's calls read and write sockets, and gRPC's do: a thread that vanished there would leave its work half done
// for all others. So a thread is not cancelled inside of them, but at one place, where it holds nothing: when it waits,
// once a second at least.
#pragma once

#include <pthread.h>

namespace poold::client::internal {

// The calling thread is not cancelled as long as one of these lives on its stack, but at CancellationPoint.
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

// Does not come back if the thread was cancelled, and its user allows that: then the stack is unwound, as by an
// exception.
inline void CancellationPoint() {
  if (NotCancelled::depth_ != 0) pthread_setcancelstate(NotCancelled::before_, nullptr);
  pthread_testcancel();
  if (NotCancelled::depth_ != 0) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
}

}  // namespace poold::client::internal
