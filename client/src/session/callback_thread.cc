#include "session/callback_thread.h"

#include <cxxabi.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace poold::client::internal {

// Outlives the CallbackThread when that is destroyed in a callback.
struct CallbackThread::Queue {
  absl::Mutex mu;
  std::deque<std::function<void()>> callbacks ABSL_GUARDED_BY(mu);
  bool stopping ABSL_GUARDED_BY(mu) = false;

  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return stopping || !callbacks.empty(); }
};

namespace {

void RunOne(const std::function<void()>& callback) {
  try {
    callback();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "poold client: a callback threw: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "poold client: a callback threw something that is no std::exception\n");
  }
}

}  // namespace

void CallbackThread::Run(std::shared_ptr<Queue> queue) {
  while (true) {
    std::function<void()> callback;
    {
      absl::MutexLock lock(&queue->mu);
      queue->mu.Await(absl::Condition(queue.get(), &Queue::HasWork));
      if (queue->callbacks.empty()) return;
      callback = std::move(queue->callbacks.front());
      queue->callbacks.pop_front();
    }
    RunOne(callback);
  }
}

void CallbackThread::Post(std::function<void()> callback) {
  absl::MutexLock lock(&mu_);
  if (!queue_) {
    queue_ = std::make_shared<Queue>();
    thread_ = std::thread(&CallbackThread::Run, queue_);
  }
  absl::MutexLock queue_lock(&queue_->mu);
  queue_->callbacks.push_back(std::move(callback));
}

void CallbackThread::Stop() {
  std::thread thread;
  {
    absl::MutexLock lock(&mu_);
    if (!thread_.joinable()) return;
    absl::MutexLock queue_lock(&queue_->mu);
    queue_->stopping = true;
    thread = std::move(thread_);
  }
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();
  } else {
    thread.join();
  }
}

}  // namespace poold::client::internal
