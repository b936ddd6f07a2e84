// What a server is told at start, beside what its calls need.
#pragma once

#include <cstdint>
#include <vector>

#include "api/service_options.h"
#include "core/types.h"
#include "engine/poll_source.h"

namespace poold::transport {

struct ServerOptions : api::ServiceOptions {
  // Through gRPC, and twice as many of this host through the payload socket: one for its session, one for payloads.
  std::uint32_t max_connections = 1024;
  // Of one process on this host, or of one address of TCP, of each kind. 0: a quarter of max_connections.
  std::uint32_t max_connections_per_peer = 0;
  std::uint32_t connections_per_peer() const {
    return max_connections_per_peer != 0 ? max_connections_per_peer : (max_connections + 3) / 4;
  }
  // How long an RPC or local thread looks again for events, and with it at the poll source of its shard, before it
  // sleeps. 0, or no poll source: not at all.
  core::Nanos spin = 0;
  std::vector<engine::PollSource*> poll_sources;
};

}  // namespace poold::transport
