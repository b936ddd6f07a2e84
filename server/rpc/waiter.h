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

// A waiter in the core of one shard.
struct Asked {
  Shard* shard = nullptr;
  std::shared_ptr<Waiter> waiter;
  core::SubscriberId id = core::kNobody;

  // False: it was answered.
  bool Drop() const {
    if (!waiter->Drop()) return false;
    shard->Enter([this](core::Core& core, core::Nanos now) { shard->Unsubscribe(core, now, id); });
    return true;
  }
};

// Asks a core something that it answers now or later; `ask(core, now, subscriber)` runs inside an event.
template <typename Ask>
Asked AskShard(Shard& shard, Ask ask, std::function<void(Answer)> then) {
  Asked asked{.shard = &shard, .waiter = std::make_shared<Waiter>(std::move(then))};
  asked.id = shard.Enter([&](core::Core& core, core::Nanos now) {
    const core::SubscriberId subscriber = shard.subscribers().Add(asked.waiter);
    ask(core, now, subscriber);
    return subscriber;
  });
  return asked;
}

// The same on behalf of a call: if that is cancelled first, the core is told.
template <typename Call, typename Ask>
void AskCore(const std::shared_ptr<Call>& call, Shard& shard, Ask ask, std::function<void(Answer)> then) {
  const Asked asked = AskShard(shard, std::move(ask), std::move(then));
  call->OnCancelled([asked] { asked.Drop(); });
}

}  // namespace poold::rpc
