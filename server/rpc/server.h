// The gRPC server of the daemon: poold.v1.PoolService, health and reflection, on the addresses that were configured.
//
// Role: accepts connections, converts requests into events of the core and what the core says into answers; it is the
// core's ClientPort. Non-role: it decides nothing about tasks or pools; all business state lies in the core.
// Threads: one RPC thread polls one completion queue; one small thread accepts connections. Flush is called by
// whichever thread entered the core, and writes to streams and answers calls from there: no hop. Ownership: does not
// own the gate, the clock or the resolver; they must outlive it. The core must not call it once it is being destroyed:
// stop everything that enters the gate first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "core/ports.h"
#include "gate/gate.h"
#include "rpc/listen_address.h"
#include "rpc/service_options.h"

namespace poold::rpc {

class Server final : public core::ClientPort, public gate::Outbox {
 public:
  Server(ServiceOptions options, const base::Clock* clock);
  // Shuts down at once if Shutdown was not called.
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What GetServerInfo says about it, where that is known later than the options. Before Start.
  void SetContainment(Containment tier, std::string note);

  // Listens, and serves from now on. `gate` must know this outbox (AddOutbox). Call once.
  // Errors: the socket is in use by a live daemon, the address cannot be bound, ...: each names it and says what to do.
  absl::Status Start(gate::Gate* gate, const std::vector<ListenAddress>& addresses);

  // Where it listens, with the ports that were found for port 0. After Start.
  std::vector<ListenAddress> addresses() const;

  // What the health service says ("" and "poold.v1.PoolService"). Thread-safe. False until it is first called.
  void SetServing(bool serving);

  // Accepts nothing more, lets calls that are under way end for `grace`, cuts the rest, and removes the sockets.
  // Streams get what waits for them and then UNAVAILABLE (SHUTTING_DOWN). Blocks. Idempotent. Not from inside an event.
  void Shutdown(core::Nanos grace);

  // core::ClientPort: under the core's mutex.
  void SendOutcome(core::SubscriberId to, core::HandleId task, core::OutcomePtr outcome) override;
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
  void RoomIsShort(bool is_short) override;
  void AllPoolsGone() override;

  // gate::Outbox.
  void Flush(core::Nanos next_timer) override;

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace poold::rpc
