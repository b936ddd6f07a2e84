// Runs callbacks, in order, on a thread of its own, so that they may block without anybody waiting for them.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace poold::client::internal {

// Thread-safe. The thread starts with the first callback. What a callback throws is printed to stderr.
class CallbackThread {
 public:
  ~CallbackThread() { Stop(); }

  void Post(std::function<void()> callback) ABSL_LOCKS_EXCLUDED(mu_);
  // Runs what was posted before, then ends the thread. Called on that thread itself, does not wait for it.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Queue;
  static void Run(std::shared_ptr<Queue> queue);

  absl::Mutex mu_;
  std::shared_ptr<Queue> queue_ ABSL_GUARDED_BY(mu_);
  std::thread thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace poold::client::internal
