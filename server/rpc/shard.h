// One shard as calls see it: the gate to its core, who waits for something from there, and what the core has for them.
//
// Role: the core's ClientPort; it hands what comes to the subscriber, who is flushed when the mutex is left. Non-role:
// knows nothing of gRPC, nor of other shards.
// Thread safety: see each. Ownership: does not own the gate; shares each subscriber until it is removed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/ports.h"
#include "gate/gate.h"
#include "rpc/client_names.h"
#include "rpc/held_up_log.h"
#include "rpc/present_clients.h"
#include "rpc/subscriber.h"

namespace poold::rpc {

// What the shards of a server have in common.
struct SharedState {
  // Nothing may be started on a completion queue that is shut down: held for writing while one is, for reading by
  // flushers.
  absl::Mutex stopping_mu;
  const ClientNames* names = nullptr;
  const base::Clock* clock = nullptr;
  // Of how many shards the last process is gone, and whom to tell that.
  std::atomic<std::uint32_t> gone = 0;
  std::function<void()> on_pools_gone;
};

class Shard final : public core::ClientPort, public gate::Outbox {
 public:
  explicit Shard(SharedState* shared) : shared_(*shared) {}

  // Before anything enters.
  void Attach(gate::Gate* gate) { gate_ = gate; }
  // Thread-safe; see gate::Gate::Enter.
  template <typename Event>
  auto Enter(Event&& event) {
    return gate_->Enter(std::forward<Event>(event));
  }

  // ---- Inside an event ----
  SubscriberTable& subscribers() { return subscribers_; }
  PresentClients& present() { return present_; }
  // It leaves the core and the table, if it is there still.
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
  void AnswerTerminate(core::SubscriberId to, absl::StatusOr<std::uint64_t> cancelled_tasks) override;
  void AnswerReload(core::SubscriberId to, absl::StatusOr<core::PoolView> pool) override;
  void AnswerJoin(core::SubscriberId to, absl::StatusOr<bool> done) override;
  void SendEvent(core::SubscriberId to, core::WatchEvent event) override;
  void EndWatch(core::SubscriberId to) override;
  void RoomIsShort(core::ClientId client, bool is_short) override;
  void ClientIsHeldUp(const core::ClientView& client, bool held_up) override;
  void AllPoolsGone() override;

  // gate::Outbox
  void Flush(core::Nanos next_timer) override;

 private:
  template <typename Give>
  void To(core::SubscriberId to, Give give) {
    const std::shared_ptr<Subscriber>& subscriber = subscribers_.Find(to);
    if (subscriber == nullptr) return;
    give(*subscriber);
    subscribers_.MarkDirty(subscriber);
  }
  // The same, and nothing more after it.
  void Answer(core::SubscriberId to, rpc::Answer answer);

  SharedState& shared_;
  gate::Gate* gate_ = nullptr;
  SubscriberTable subscribers_;  // see there
  PresentClients present_;       // under the core's mutex
  std::atomic<bool> pools_gone_ = false;
  HeldUpLog held_up_;
};

}  // namespace poold::rpc
