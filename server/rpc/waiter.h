// A subscriber that waits for one answer of the core on behalf of a call.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <utility>

#include "rpc/backend.h"
#include "rpc/subscriber.h"

namespace poold::rpc {

class Waiter final : public Subscriber {
 public:
  // `then` is called once at most, without the mutex, by any thread.
  explicit Waiter(std::function<void(Answer)> then) : then_(std::move(then)) {}

  void OnAnswer(Answer answer) override { answer_ = std::move(answer); }
  void Flush() override {
    if (!answer_ || claimed_.exchange(true)) return;
    std::exchange(then_, nullptr)(*std::move(answer_));
  }
  // Nobody wants the answer any more. False: it was given.
  bool Drop() {
    if (claimed_.exchange(true)) return false;
    then_ = nullptr;
    return true;
  }

 private:
  std::function<void(Answer)> then_;
  std::optional<Answer> answer_;
  std::atomic<bool> claimed_ = false;
};

// Inside an event: the subscriber leaves the core and the table, if it is there still.
inline void Unsubscribe(Backend& backend, core::Core& core, core::Nanos now, core::SubscriberId id) {
  if (backend.subscribers.Find(id) == nullptr) return;
  core.OnSubscriberGone(now, id);
  backend.subscribers.Remove(id);
}

// Asks the core something that it answers now or later; `ask(core, now, subscriber)` runs inside an event. If the call
// is cancelled first, the core is told.
template <typename Call, typename Ask>
void AskCore(const std::shared_ptr<Call>& call, Ask ask, std::function<void(Answer)> then) {
  Backend& backend = call->backend();
  auto waiter = std::make_shared<Waiter>(std::move(then));
  const core::SubscriberId id = backend.gate->Enter([&](core::Core& core, core::Nanos now) {
    const core::SubscriberId subscriber = backend.subscribers.Add(waiter);
    ask(core, now, subscriber);
    return subscriber;
  });
  call->OnCancelled([&backend, waiter, id] {
    if (!waiter->Drop()) return;
    backend.gate->Enter([&](core::Core& core, core::Nanos now) { Unsubscribe(backend, core, now, id); });
  });
}

}  // namespace poold::rpc
