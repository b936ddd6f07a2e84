// What every call needs to do its work: the shards, options and clock.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/quota.h"
#include "gate/shards.h"
#include "poold/v1/server_info.pb.h"
#include "rpc/client_names.h"
#include "rpc/connection_table.h"
#include "rpc/convert.h"
#include "rpc/half_read.h"
#include "rpc/refusal.h"
#include "rpc/service_options.h"
#include "rpc/shard.h"
#include "rpc/uploads.h"

namespace poold::rpc {

struct ServiceContext {
  ServiceContext(ServiceOptions service_options, const base::Clock* service_clock, std::size_t shard_count)
      : options(std::move(service_options)),
        clock(service_clock),
        watch_room(std::make_shared<base::Quota>(options.max_waiting_event_bytes, options.memory->watchers)),
        half_read(std::make_shared<HalfRead>(options.memory->half_read)),
        uploads(options.max_upload_bytes, options.upload_ttl),
        grpc_connections(std::make_shared<ConnectionTable>(
            ConnectionTable::Bounds{options.max_connections, options.connections_per_peer()},
            GrpcFarewell("too many connections to poold: this one was not in use"))),
        local_connections(std::make_shared<ConnectionTable>(
            ConnectionTable::Bounds{2 * options.max_connections, 2 * options.connections_per_peer()},
            LocalFarewell())) {
    options.max_message_bytes = std::min(options.max_message_bytes, options.memory->half_read->max() / 4);
    shared.names = &client_names;
    shared.clock = clock;
    if (options.spool == nullptr) options.spool = std::make_shared<const base::Spool>(base::SpoolOptions());
    for (std::size_t i = 0; i < shard_count; ++i) shards.push_back(std::make_unique<Shard>(&shared));
  }

  DisplayContext display() const { return {WallTime(*clock), client_names}; }
  // See gate::Shards; not inside an event.
  Shard& ShardOfPool(std::string_view pool) const { return *shards[gates->OfPool(pool)]; }
  Shard& ShardOfHandle(const core::HandleId& id) const { return *shards[gates->OfHandle(id)]; }

  ServiceOptions options;  // constant after Start
  const base::Clock* const clock;
  gate::Shards* gates = nullptr;  // constant after Start
  v1::ServerInfo server_info;     // constant after Start
  const std::shared_ptr<base::Quota> watch_room;

  SharedState shared;
  std::vector<std::unique_ptr<Shard>> shards;  // constant; as `gates`
  // Synchronises itself. gRPC may keep connections for longer than the server lives.
  const std::shared_ptr<HalfRead> half_read;
  UploadStore uploads;       // synchronises itself
  ClientNames client_names;  // synchronises itself
  // Synchronise themselves. gRPC may keep connections for longer than the server lives.
  const std::shared_ptr<ConnectionTable> grpc_connections;
  const std::shared_ptr<ConnectionTable> local_connections;
  std::atomic<std::uint64_t> sessions = 0;

  // What the health service says.
  std::atomic<bool> serving = false;
};

}  // namespace poold::rpc
