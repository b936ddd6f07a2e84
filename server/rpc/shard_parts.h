// Handles of one call, divided among the shards in which they lie.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rpc/service_context.h"

namespace poold::rpc {

struct ShardPart {
  Shard* shard = nullptr;
  std::vector<core::HandleId> ids;
  std::vector<std::size_t> places;  // of each id in the call
};

// One part at least, none of them empty unless `ids` is. Not inside an event.
std::vector<ShardPart> PartsOf(std::span<const core::HandleId> ids, const ServiceContext& service_context);

}  // namespace poold::rpc
