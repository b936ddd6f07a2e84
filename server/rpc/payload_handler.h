// What the payload socket does: takes arguments over into the uploads, finds results, knows arenas. See
// poold/v1/payload_socket.md.
//
// No sockets here. Thread-safe. Does not own the service context, which must outlive it.
#pragma once

#include <memory>

#include "base/arena.h"
#include "base/payload_file.h"
#include "rpc/service_context.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::rpc {

class PayloadHandler {
 public:
  explicit PayloadHandler(ServiceContext* service_context) : service_context_(*service_context) {}

  // The descriptor is taken over with kTaken only.
  wire::PayloadStatus Offer(const wire::PayloadRequest& request, wire::UniqueFd* sealed);
  // The file is null where the result lies in none, or there is no result.
  struct Found {
    std::shared_ptr<const void> owner;
    const base::PayloadFile* file = nullptr;
  };
  Found Fetch(const wire::PayloadRequest& request);

  // The arena lives as long as whom it is given back to keeps it. Null, and why not.
  std::shared_ptr<base::Arena> Share(const wire::PayloadRequest& request, wire::UniqueFd* fd,
                                     wire::PayloadStatus* status);
  // Null: there is none.
  std::shared_ptr<base::Arena> Map(const wire::PayloadRequest& request) const;

 private:
  ServiceContext& service_context_;
};

}  // namespace poold::rpc
