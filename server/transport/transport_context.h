// What the transports of one server share beside what calls need.
//
// Thread-safe: what changes synchronises itself.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "api/service_context.h"
#include "transport/connection_table.h"
#include "transport/grpc/grpc_refusals.h"
#include "transport/half_read.h"
#include "transport/local/payload_socket.h"
#include "transport/server_options.h"

namespace poold::transport {

struct TransportContext {
  TransportContext(ServerOptions options, const base::Clock* clock, engine::Engine* engine)
      : max_connections(options.max_connections),
        spin(options.spin),
        poll_sources(std::move(options.poll_sources)),
        half_read(std::make_shared<HalfRead>(options.memory->half_read)),
        grpc_connections(std::make_shared<ConnectionTable>(
            ConnectionTable::Bounds{options.max_connections, options.connections_per_peer()},
            GrpcFarewell("too many connections to poold: this one was not in use"))),
        local_connections(std::make_shared<ConnectionTable>(
            ConnectionTable::Bounds{2 * options.max_connections, 2 * options.connections_per_peer()}, LocalFarewell())),
        service(std::move(options), clock, engine) {}

  // See ServerOptions.
  const std::uint32_t max_connections;
  const core::Nanos spin;
  const std::vector<engine::PollSource*> poll_sources;

  // gRPC may keep connections for longer than the server lives: it shares these.
  const std::shared_ptr<HalfRead> half_read;
  const std::shared_ptr<ConnectionTable> grpc_connections;
  const std::shared_ptr<ConnectionTable> local_connections;

  // What the health service says.
  std::atomic<bool> serving = false;

  api::ServiceContext service;
};

// Whom fairness counts a call for that is no session's: the name that the caller gives itself, else what its connection
// is called. The name is remembered.
inline core::ClientId ClientNamed(const std::string& name, const std::string& connection,
                                  api::ServiceContext* service) {
  const core::ClientId client{absl::Hash<std::string>()(name.empty() ? connection : name)};
  service->client_names.Learn(client, name);
  return client;
}

}  // namespace poold::transport
