// ServerOptions: the options of a server, beside those that its calls need. A value.
#pragma once

#include <cstdint>
#include <vector>

#include "api/service_options.h"
#include "core/types.h"
#include "engine/poll_source.h"

namespace poold::transport {

struct ServerOptions : api::ServiceOptions {
  // The most connections through gRPC. Through the payload socket twice as many: a client has one for its session and
  // one for payloads.
  std::uint32_t max_connections = 1024;
  // The most connections of each kind of one process on this host, or of one TCP address. 0: a quarter of
  // max_connections.
  std::uint32_t max_connections_per_peer = 0;
  std::uint32_t connections_per_peer() const {
    return max_connections_per_peer != 0 ? max_connections_per_peer : (max_connections + 3) / 4;
  }
  // The ns for which an RPC or local thread polls its events and the poll source of its shard before it sleeps. 0, or
  // no poll source: it never polls.
  core::Nanos spin = 0;
  std::vector<engine::PollSource*> poll_sources;
};

}  // namespace poold::transport
