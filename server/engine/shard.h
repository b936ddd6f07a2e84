// Shard: one core with its gate, its subscribers, and the clients that have a session.
//
// Role: the core's ClientPort: hands the core's answers and events to subscribers, which are flushed when the mutex is
// left. Non-role: knows no transport and no other shard. Used by the engine only.
// Threads: functions of the ports and those "inside an event" are called under the core's mutex; the others by any
// thread. Ownership: does not own the gate; shares each subscriber until it is removed. Errors: a subscriber that is
// gone hears nothing, silently.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/ports.h"
#include "engine/client_names.h"
#include "engine/gate.h"
#include "engine/held_up_log.h"
#include "engine/subscriber.h"

namespace poold::engine {

// PresentClients: the clients that have sessions now, and their sessions.
//
// Threads: used under the core's mutex, so that no client comes or goes between the question whether an owner is
// present and the opening of the owner's pool.
class PresentClients {
 public:
  // Adds a session. True: the client has no other.
  bool Come(core::ClientId client, core::SubscriberId session) {
    std::vector<core::SubscriberId>& sessions = sessions_[client];
    sessions.push_back(session);
    return sessions.size() == 1;
  }
  // Removes a session. True: that was the client's last one. REQUIRES: Come was called for it.
  bool Go(core::ClientId client, core::SubscriberId session) {
    const auto found = sessions_.find(client);
    std::erase(found->second, session);
    if (!found->second.empty()) return false;
    sessions_.erase(found);
    return true;
  }
  // Whether the client has a session.
  bool Has(core::ClientId client) const { return sessions_.contains(client); }
  // Visits the sessions of the client.
  template <typename Visit>
  void ForEach(core::ClientId client, Visit visit) const {
    const auto found = sessions_.find(client);
    if (found == sessions_.end()) return;
    for (const core::SubscriberId session : found->second) visit(session);
  }

 private:
  absl::flat_hash_map<core::ClientId, std::vector<core::SubscriberId>> sessions_;
};

// State that the shards of an engine have in common.
struct SharedState {
  // Held for reading by flushers, and for writing while a completion queue is shut down, on which nothing may be
  // started then.
  absl::Mutex stopping_mu;
  const ClientNames* names = nullptr;
  const base::Clock* clock = nullptr;
  // Called by any thread without a lock when the state of a pool has changed.
  std::function<void()> on_pools_changed;
  // The number of shards whose last process is gone, and the function to call when that was the last one.
  std::atomic<std::uint32_t> gone = 0;
  std::function<void()> on_pools_gone;
};

class Shard final : public core::ClientPort, public Outbox {
 public:
  // `number`: from 1; 0 where there is only one shard.
  Shard(SharedState* shared, std::uint32_t number) : shared_(*shared), number_(number) {}

  // Takes the gate. Call before anything enters.
  void Attach(Gate* gate) { gate_ = gate; }
  // Thread-safe; see engine::Gate::Enter.
  template <typename Event>
  auto Enter(Event&& event) {
    return gate_->Enter(std::forward<Event>(event));
  }

  // ---- Inside an event ----
  SubscriberTable& subscribers() { return subscribers_; }
  PresentClients& present() { return present_; }
  // An unused handle whose id names this shard.
  core::HandleId NewHandle(core::Core& core) const;
  // Removes the subscriber from the core and from the table, if it is there.
  void Unsubscribe(core::Core& core, core::Nanos now, core::SubscriberId id);

  // core::ClientPort
  void SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) override;
  void SendSuccess(core::SubscriberId to, core::HandleId task, const core::CompactSuccess& success) override;
  void SendItems(core::SubscriberId to, core::HandleId map, core::ItemBlockPtr items) override;
  void SendMapEnd(core::SubscriberId to, const core::MapView& map) override;
  void SendOutput(core::SubscriberId to, const core::OutputEvent& output) override;
  void SendProgress(core::SubscriberId to, const core::ProgressEvent& progress) override;
  void AnswerOpenPool(core::SubscriberId to, absl::StatusOr<core::PoolView> pool, bool created) override;
  void AnswerGet(core::SubscriberId to, absl::StatusOr<core::HandleView> handle) override;
  void AnswerWait(core::SubscriberId to, absl::StatusOr<core::WaitAnswer> answer) override;
  void AnswerClose(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) override;
  void AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) override;
  void AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) override;
  void AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) override;
  void SendEvent(core::SubscriberId to, core::WatchEvent event) override;
  void EndWatch(core::SubscriberId to) override;
  void RoomIsShort(core::ClientId client, bool is_short) override;
  void ClientIsHeldUp(const core::ClientView& client, bool held_up) override;
  void StartsChanged() override { pools_changed_ = true; }
  void AllPoolsGone() override;

  // engine::Outbox
  void Flush(core::Nanos next_timer) override;

 private:
  // Gives the subscriber something, and notes that it is to be flushed; nothing happens if it is gone.
  template <typename Give>
  void To(core::SubscriberId to, Give give) {
    const std::shared_ptr<Subscriber>& subscriber = subscribers_.Find(to);
    if (subscriber == nullptr) return;
    give(*subscriber);
    subscribers_.MarkDirty(subscriber);
  }
  // Gives the subscriber its answer, which is the last thing that it gets.
  void Answer(core::SubscriberId to, engine::Answer answer);

  SharedState& shared_;
  const std::uint32_t number_;
  Gate* gate_ = nullptr;
  SubscriberTable subscribers_;
  PresentClients present_;  // under the core's mutex
  // Set inside an event, and told by the next Flush; likewise `pools_gone_`.
  std::atomic<bool> pools_changed_ = false;
  std::atomic<bool> pools_gone_ = false;
  HeldUpLog held_up_;
};

}  // namespace poold::engine
