// PendingCall: a question to a core that is answered now or later.
//
// Role: a subscriber for one answer, and the means to give it up. Threads: asked and dropped by one thread at a time;
// answered by any. Ownership: the core's table and the asker share the subscriber; the shard must outlive both.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/core.h"
#include "engine/shard.h"
#include "engine/subscriber.h"

namespace poold::engine {

// A subscriber that waits for one answer and passes it on.
class AnswerSubscriber final : public Subscriber {
 public:
  // `then` takes the answer. Called once at most, without the mutex, by any thread.
  explicit AnswerSubscriber(std::function<void(Answer)> then) : then_(std::move(then)) {}

  void OnAnswer(Answer answer) override { answer_ = std::move(answer); }
  void Flush() override {
    if (!answer_ || claimed_.exchange(true)) return;
    std::exchange(then_, nullptr)(*std::move(answer_));
  }
  // Gives the answer up. False: `then` has it.
  bool Drop() {
    if (claimed_.exchange(true)) return false;
    then_ = nullptr;
    return true;
  }

 private:
  std::function<void(Answer)> then_;
  // Set inside an event; none: the core has not answered.
  std::optional<Answer> answer_;
  // The answer was passed on or given up; only the first of both counts.
  std::atomic<bool> claimed_ = false;
};

// The subscriber of a question in the core of one shard.
struct PendingCall {
  Shard* shard = nullptr;
  std::shared_ptr<AnswerSubscriber> subscriber;
  core::SubscriberId id = core::kNobody;

  // Gives the answer up and unsubscribes. False: the question was answered.
  bool Drop() const {
    if (!subscriber->Drop()) return false;
    shard->Enter([this](core::Core& core, core::Nanos now) { shard->Unsubscribe(core, now, id); });
    return true;
  }
};

// Drops many questions; neighbours of one core in events of kSlice questions.
inline void DropAll(const std::vector<PendingCall>& calls) {
  for (const PendingCall& call : calls) call.subscriber->Drop();
  for (std::size_t begin = 0; begin < calls.size();) {
    Shard& shard = *calls[begin].shard;
    shard.Enter([&](core::Core& core, core::Nanos now) {
      const std::size_t most = std::min(calls.size(), begin + core::kSlice);
      for (; begin < most && calls[begin].shard == &shard; ++begin) shard.Unsubscribe(core, now, calls[begin].id);
    });
  }
}

// Makes a subscriber that waits for one answer of the shard's core. REQUIRES: called inside an event of the shard.
inline PendingCall ExpectAnswer(Shard& shard, std::function<void(Answer)> then) {
  PendingCall pending{.shard = &shard, .subscriber = std::make_shared<AnswerSubscriber>(std::move(then))};
  pending.id = shard.subscribers().Add(pending.subscriber);
  return pending;
}

// Asks a core: runs `ask(core, now, subscriber)` in an event, and passes the core's answer to `then`.
template <typename Ask>
PendingCall AskShard(Shard& shard, Ask ask, std::function<void(Answer)> then) {
  return shard.Enter([&](core::Core& core, core::Nanos now) {
    PendingCall pending = ExpectAnswer(shard, std::move(then));
    ask(core, now, pending.id);
    return pending;
  });
}

}  // namespace poold::engine
