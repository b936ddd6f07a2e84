// The gRPC server of the daemon: poold.v1.PoolService, health and reflection, on the addresses that were configured.
//
// Role: accepts connections, converts requests into events of the cores and what these say into answers. Non-role: it
// decides nothing about tasks or pools; all business state lies in the cores. Threads: as many RPC threads as shards,
// each of which polls a completion queue of its own; a connection belongs to one of them, and brings tasks to any
// shard; as many local threads, for sessions of this host. One small thread accepts connections and refuses those that
// are too many, another one hands payloads over. Outboxes are flushed by whichever thread entered a core, and write to
// streams and answer calls from there: no hop. Ownership: does not own the gates, the clock or the resolver; they must
// outlive it. No core must call it once it is being destroyed: stop everything that enters the gates first.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "core/ports.h"
#include "gate/shards.h"
#include "rpc/listen_address.h"
#include "rpc/service_options.h"

namespace poold::rpc {

class Server final {
 public:
  // `shards`: how many cores it serves.
  Server(ServiceOptions options, const base::Clock* clock, std::size_t shards = 1);
  // Shuts down at once if Shutdown was not called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What GetServerInfo says about it, where that is known later than the options. Before Start.
  void SetContainment(Containment tier, std::string note);

  // What the core of this shard tells its clients, and who is to be told (gate::Gate::AddOutbox) when that was done.
  core::ClientPort* clients(std::size_t shard);
  gate::Outbox* outbox(std::size_t shard);

  // Listens, and serves from now on. Call once. `before_anybody` is called when all that may fail by others' doing has
  // gone well: addresses() are known, clients may connect, and none has been let in.
  // Errors: the socket is in use by a live daemon, the address cannot be bound, ...: each names it and says what to do.
  absl::Status Start(gate::Shards* gates, const std::vector<ListenAddress>& addresses,
                     const std::function<void()>& before_anybody = {});

  // Where it listens, with the ports that were found for port 0. After Start.
  std::vector<ListenAddress> addresses() const;

  // What the health service says ("" and "poold.v1.PoolService"). Thread-safe. False until it is first called.
  void SetServing(bool serving);

  // Accepts nothing more, lets calls that are under way end for `grace`, cuts the rest, and removes the sockets.
  // Streams get what waits for them and then UNAVAILABLE (SHUTTING_DOWN). Blocks. Idempotent. Not from inside an event.
  void Shutdown(core::Nanos grace);

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace poold::rpc
