// A digest of everything that the core says in one history.
//
// Role: stands between the core and the two ports; writes one line for each call, with the moment and what the call
// says, folds the lines into one number, and passes the call on. Two builds of the core that decide the same have the
// same digest for each seed (poold_sim --digest). Non-role: judges nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports.h"

namespace poold::core::sim {

class Trace : public ClientPort, public WorkerPort {
 public:
  // All three outlive it. `now`: the moment of the present event.
  Trace(ClientPort* clients, WorkerPort* workers, const Nanos* now) : clients_(clients), workers_(workers), now_(now) {}

  // Of all lines so far.
  std::uint64_t digest() const { return digest_; }
  // Also print each line.
  void Print() { prints_ = true; }
  // A line of the world's own.
  void Note(std::string_view text);

  // ---- ClientPort ----
  void SendOutcome(SubscriberId to, HandleId task, OutcomePtr outcome) override;
  void SendItems(SubscriberId to, HandleId map, ItemBlockPtr items) override;
  void SendMapEnd(SubscriberId to, const MapView& map) override;
  void SendOutput(SubscriberId to, const OutputEvent& output) override;
  void SendProgress(SubscriberId to, const ProgressEvent& progress) override;
  void AnswerOpenPool(SubscriberId to, absl::StatusOr<PoolView> pool, bool created) override;
  void AnswerGet(SubscriberId to, absl::StatusOr<HandleView> handle) override;
  void AnswerWait(SubscriberId to, absl::StatusOr<WaitAnswer> answer) override;
  void AnswerClose(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override;
  void AnswerTerminate(SubscriberId to, absl::StatusOr<std::uint64_t> cancelled) override;
  void AnswerReload(SubscriberId to, absl::StatusOr<PoolView> pool) override;
  void AnswerJoin(SubscriberId to, absl::StatusOr<bool> done) override;
  void SendEvent(SubscriberId to, WatchEvent event) override;
  void EndWatch(SubscriberId to) override;
  void RoomIsShort(ClientId client, bool is_short) override;
  void ClientIsHeldUp(const ClientView& client, bool held_up) override;
  void StartsChanged() override;
  void AllPoolsGone() override;

  // ---- WorkerPort ----
  void StartZygote(PoolId pool, std::uint32_t generation, const PoolSpec& spec) override;
  void StopZygote(PoolId pool, std::uint32_t generation) override;
  void StartWorker(PoolId pool, std::uint32_t generation, WorkerId worker) override;
  void Dispatch(WorkerId worker, std::vector<Assignment> work) override;
  std::uint32_t TakeBack(WorkerId worker, AttemptToken token, std::uint32_t keep) override;
  void StopWorker(WorkerId worker) override;
  void KillWorker(WorkerId worker, Nanos grace) override;

 private:
  ClientPort* const clients_;
  WorkerPort* const workers_;
  const Nanos* const now_;
  std::uint64_t digest_ = 0xcbf29ce484222325;
  bool prints_ = false;
};

}  // namespace poold::core::sim
