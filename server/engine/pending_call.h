// A question to a core that is answered now or later.
//
// Threads: each is asked and dropped by one thread at a time; answered by any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/core.h"
#include "engine/shard.h"
#include "engine/subscriber.h"

namespace poold::engine {

// A subscriber that waits for one answer.
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

// Drops calls of one core in one event.
inline void DropAll(const std::vector<PendingCall>& calls) {
  if (calls.empty()) return;
  for (const PendingCall& call : calls) call.subscriber->Drop();
  Shard& shard = *calls.front().shard;
  shard.Enter([&](core::Core& core, core::Nanos now) {
    for (const PendingCall& call : calls) shard.Unsubscribe(core, now, call.id);
  });
}

// Inside an event of the shard: a subscriber that waits for one answer of its core.
inline PendingCall ExpectAnswer(Shard& shard, std::function<void(Answer)> then) {
  PendingCall pending{.shard = &shard, .subscriber = std::make_shared<AnswerSubscriber>(std::move(then))};
  pending.id = shard.subscribers().Add(pending.subscriber);
  return pending;
}

// Asks a core something; `ask(core, now, subscriber)` runs inside an event.
template <typename Ask>
PendingCall AskShard(Shard& shard, Ask ask, std::function<void(Answer)> then) {
  return shard.Enter([&](core::Core& core, core::Nanos now) {
    PendingCall pending = ExpectAnswer(shard, std::move(then));
    ask(core, now, pending.id);
    return pending;
  });
}

}  // namespace poold::engine
