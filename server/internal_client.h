// The daemon's own calls to its core: it opens the configured pools as any client would.
//
// Role: stands between the core and rpc/; keeps the answers to the daemon's own calls and passes everything else on.
// It also tells the main thread that something happened to a pool, so that it can be logged.
// Threads: core::ClientPort under the core's mutex, Flush by any thread. Does not own what it passes on to.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/ports.h"
#include "gate/gate.h"

namespace poold {

class InternalClient final : public core::ClientPort, public gate::Outbox {
 public:
  // `wake` is called without a lock, by any thread, when there is something to look at.
  InternalClient(core::ClientPort* clients, std::function<void()> wake) : clients_(*clients), wake_(std::move(wake)) {}

  // Ids that rpc/ never gives out. Called under the core's mutex.
  core::SubscriberId NextCall() { return core::SubscriberId{kOwn | ++calls_}; }
  // How many answers came. Called under the core's mutex.
  std::size_t answered() const { return answered_; }

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
  void StartsChanged() override { pools_changed_ = true; }
  void AllPoolsGone() override;

  // gate::Outbox
  void Flush(core::Nanos next_timer) override;

 private:
  static constexpr std::uint64_t kOwn = 1ull << 63;
  static bool IsOwn(core::SubscriberId id) { return (static_cast<std::uint64_t>(id) & kOwn) != 0; }

  core::ClientPort& clients_;
  const std::function<void()> wake_;
  std::uint64_t calls_ = 0;   // under the core's mutex
  std::size_t answered_ = 0;  // under the core's mutex
  std::atomic<bool> pools_changed_ = false;
};

}  // namespace poold
