// CallbackThread: runs callbacks in order on a thread of its own, so that callbacks may block.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace poold::client::internal {

// Threads: thread-safe. The thread starts with the first callback.
// Errors: an exception of a callback is printed to stderr; the next callback runs.
// Ownership: owns the posted callbacks until they have run. The queue is not bounded.
class CallbackThread {
 public:
  // Stops the thread; in a callback, does not wait for the thread.
  ~CallbackThread() { Stop(); }

  // Appends a callback. Does not wait for it. REQUIRES: Stop was not called.
  void Post(std::function<void()> callback) ABSL_LOCKS_EXCLUDED(mu_);
  // Runs the callbacks that were posted before, then ends the thread. Waits for that, except on the thread itself.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Queue;
  static void Run(std::shared_ptr<Queue> queue);

  absl::Mutex mu_;
  std::shared_ptr<Queue> queue_ ABSL_GUARDED_BY(mu_);
  std::thread thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
