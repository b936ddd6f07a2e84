// ServiceContext: the objects that every call needs: engine, options and clock.
//
// Threads: thread-safe; members that change after the server was started synchronise themselves.
// Ownership: owned by the server; the engine and the clock must outlive it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "api/convert.h"
#include "api/service_options.h"
#include "api/uploads.h"
#include "base/clock.h"
#include "base/quota.h"
#include "engine/engine.h"
#include "poold/v1/server_info.pb.h"

namespace poold::api {

struct ServiceContext {
  ServiceContext(ServiceOptions service_options, const base::Clock* service_clock, engine::Engine* service_engine)
      : options(std::move(service_options)),
        clock(service_clock),
        engine(*service_engine),
        client_names(service_engine->client_names()),
        watch_room(std::make_shared<base::Quota>(options.max_waiting_event_bytes, options.memory->watchers)),
        uploads(options.max_upload_bytes, options.upload_ttl) {
    options.max_message_bytes = std::min(options.max_message_bytes, options.memory->half_read->max() / 4);
    if (options.spool == nullptr) options.spool = std::make_shared<const base::Spool>(base::SpoolOptions());
  }

  // The means to show times and clients in an answer that is made now.
  DisplayContext display() const { return {WallTime(*clock), client_names}; }

  // Constant after the server was started, as server_info.
  ServiceOptions options;
  const base::Clock* const clock;
  engine::Engine& engine;
  // The engine's.
  engine::ClientNames& client_names;
  // The answer of GetServerInfo.
  v1::ServerInfo server_info;
  // The quota of events that wait for watchers, in bytes.
  const std::shared_ptr<base::Quota> watch_room;
  UploadStore uploads;
  // Sessions that are open now.
  std::atomic<std::uint64_t> sessions = 0;
};

}  // namespace poold::api
