// What every call needs to do its work: the gate to the core, the table of subscribers, options and clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "gate/gate.h"
#include "poold/v1/server_info.pb.h"
#include "rpc/client_names.h"
#include "rpc/convert.h"
#include "rpc/present_clients.h"
#include "rpc/service_options.h"
#include "rpc/subscriber.h"
#include "rpc/uploads.h"

namespace poold::rpc {

struct Backend {
  Backend(ServiceOptions service_options, const base::Clock* service_clock)
      : options(std::move(service_options)),
        clock(service_clock),
        uploads(options.max_upload_bytes, options.upload_ttl) {
    if (options.spool == nullptr) options.spool = std::make_shared<const base::Spool>(base::SpoolOptions());
  }

  Legend legend() const { return {WallTime(*clock), client_names}; }

  ServiceOptions options;  // constant after Start
  const base::Clock* const clock;
  gate::Gate* gate = nullptr;  // constant after Start
  v1::ServerInfo server_info;  // constant after Start

  SubscriberTable subscribers;  // see there
  UploadStore uploads;          // synchronises itself
  std::uint64_t sessions = 0;   // the RPC thread's
  PresentClients present;       // the RPC thread's
  ClientNames client_names;
  // The room for outcomes, as the core said last. Under the core's mutex.
  bool room_is_short = false;

  // What the health service says.
  std::atomic<bool> serving = false;

  // Nothing may be started on the completion queue any more. Set under `stopping_mu` held for writing, read under it
  // held for reading by flushers; the RPC thread, which sets it, reads it freely.
  absl::Mutex stopping_mu;
  std::atomic<bool> stopped = false;
};

}  // namespace poold::rpc
