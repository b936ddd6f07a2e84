// Clients that write down, in one word or two, what they are told.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/errors.h"
#include "core/ports.h"

namespace poold::core {

// Whatever waits are about: the room under test never looks into it.
struct Handle {
  HandleId id;
};

// Two that call, or watch.
inline constexpr SubscriberId kAnn{1};
inline constexpr SubscriberId kBob{2};

namespace testing {

class FakeClients : public ClientPort {
 public:
  // All that was said since this was asked last.
  std::vector<std::string> Said() { return std::exchange(said_, {}); }

  void SendOutcome(SubscriberId to, HandleId, OutcomePtr) override { Say(to, "outcome"); }
  void SendItems(SubscriberId to, HandleId, ItemBlockPtr) override { Say(to, "items"); }
  void SendMapEnd(SubscriberId to, const MapView&) override { Say(to, "map end"); }
  void SendOutput(SubscriberId to, const OutputEvent&) override { Say(to, "output"); }
  void SendProgress(SubscriberId to, const ProgressEvent&) override { Say(to, "progress"); }
  void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) override {
    Say(to, pool.ok() ? (created ? "made " : "shares ") + pool->spec.name : Why(pool.status()));
  }
  void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) override {
    Say(to, handle.ok() ? "got " + std::to_string(std::get<TaskView>(*handle).id.low) : Why(handle.status()));
  }
  void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) override {
    if (!answer.ok()) return Say(to, Why(answer.status()));
    Say(to, (answer->first ? "first, done" : "done") + Text(answer->done) + " not done" + Text(answer->not_done));
  }
  void AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override {
    Say(to, cancelled.ok() ? "closed " + std::to_string(*cancelled) : Why(cancelled.status()));
  }
  void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override {
    Say(to, cancelled.ok() ? "terminated " + std::to_string(*cancelled) : Why(cancelled.status()));
  }
  void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) override {
    Say(to, pool.ok() ? "reloaded " + pool->spec.name : Why(pool.status()));
  }
  void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) override {
    Say(to, !done.ok() ? Why(done.status()) : *done ? "joined" : "not joined");
  }
  void SendEvent(SubscriberId to, WatchEvent event) override {
    if (std::holds_alternative<OutputEvent>(event)) return Say(to, "sees output");
    if (const auto* task = std::get_if<TaskView>(&event)) return Say(to, "sees " + std::to_string(task->id.low));
    Say(to, "sees something");
  }
  void EndWatch(SubscriberId to) override { Say(to, "watch over"); }
  void RoomIsShort(ClientId, bool) override {}
  void AllPoolsGone() override {}

 private:
  static std::string Why(const absl::Status& status) { return "refused " + DetailOf(status).reason; }
  static std::string Text(const std::vector<HandleId>& ids) {
    std::string text;
    for (const HandleId id : ids) text += " " + std::to_string(id.low);
    return text;
  }
  void Say(SubscriberId to, const std::string& what) {
    said_.push_back(std::to_string(static_cast<std::uint64_t>(to)) + " " + what);
  }

  std::vector<std::string> said_;
};

}  // namespace testing
}  // namespace poold::core
