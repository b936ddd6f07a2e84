// A subscriber that waits for one answer of the core on behalf of a call.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <utility>

#include "rpc/service_context.h"
#include "rpc/subscriber.h"

namespace poold::rpc {

class AnswerSubscriber final : public Subscriber {
 public:
  // `then` is called once at most, without the mutex, by any thread.
  explicit AnswerSubscriber(std::function<void(Answer)> then) : then_(std::move(then)) {}

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

// A subscriber in the core of one shard.
struct PendingCall {
  Shard* shard = nullptr;
  std::shared_ptr<AnswerSubscriber> subscriber;
  core::SubscriberId id = core::kNobody;

  // False: it was answered.
  bool Drop() const {
    if (!subscriber->Drop()) return false;
    shard->Enter([this](core::Core& core, core::Nanos now) { shard->Unsubscribe(core, now, id); });
    return true;
  }
};

// Asks a core something that it answers now or later; `ask(core, now, subscriber)` runs inside an event.
template <typename Ask>
PendingCall AskShard(Shard& shard, Ask ask, std::function<void(Answer)> then) {
  PendingCall pending{.shard = &shard, .subscriber = std::make_shared<AnswerSubscriber>(std::move(then))};
  pending.id = shard.Enter([&](core::Core& core, core::Nanos now) {
    const core::SubscriberId subscriber = shard.subscribers().Add(pending.subscriber);
    ask(core, now, subscriber);
    return subscriber;
  });
  return pending;
}

// The same on behalf of a call: if that is cancelled first, the core is told.
template <typename Call, typename Ask>
void AskCore(const std::shared_ptr<Call>& call, Shard& shard, Ask ask, std::function<void(Answer)> then) {
  const PendingCall pending = AskShard(shard, std::move(ask), std::move(then));
  call->OnCancelled([pending] { pending.Drop(); });
}

}  // namespace poold::rpc
