// The server of the daemon: poold.v1.PoolService, health and reflection through gRPC, and sessions of this host, on the
// addresses that were configured.
//
// Role: accepts connections, and carries calls and sessions between them and the engine. Non-role: decides nothing
// about tasks or pools. Threads: as many RPC threads as cores, each of which polls a completion queue of its own; a
// connection belongs to one of them, and brings tasks to any pool; as many local threads, for sessions and calls
// without gRPC. One small thread accepts connections and refuses those that are too many, another one hands payloads
// over. Subscribers are flushed by the thread that entered a core, and write to streams and answer calls from there: no
// hop. Ownership: does not own the engine, the clock or the resolver; they must outlive it. No core must call it once
// it is being destroyed: stop everything that enters the gates first.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "core/ports.h"
#include "engine/engine.h"
#include "transport/listen.h"
#include "transport/server_options.h"

namespace poold::transport {

class Server final {
 public:
  Server(ServerOptions options, const base::Clock* clock, engine::Engine* engine);
  // Shuts down at once if Shutdown was not called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What GetServerInfo says about it, where that is known later than the options. Before Start.
  void SetContainment(api::Containment tier, std::string note);

  // Listens, and serves from now on. Call once. `before_anybody` is called when all that may fail by others' doing has
  // gone well: addresses() are known, clients may connect, and none has been let in.
  // Errors: the socket is in use by a live daemon, the address cannot be bound, ...: each names it and says what to do.
  // REQUIRES: the gates are attached to the engine.
  absl::Status Start(const std::vector<ListenAddress>& addresses, const std::function<void()>& before_anybody = {});

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

}  // namespace poold::transport
