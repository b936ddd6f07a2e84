#include "rpc/shard_parts.h"

#include <utility>

namespace poold::rpc {

std::vector<ShardPart> PartsOf(std::span<const core::HandleId> ids, const ServiceContext& service_context) {
  std::vector<ShardPart> of_shards(service_context.shards.size());
  const std::vector<std::size_t> shards = service_context.gates->OfHandles(ids);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    of_shards[shards[i]].ids.push_back(ids[i]);
    of_shards[shards[i]].places.push_back(i);
  }
  std::vector<ShardPart> parts;
  for (std::size_t shard = 0; shard < of_shards.size(); ++shard) {
    if (of_shards[shard].ids.empty() && !(ids.empty() && shard == 0)) continue;
    of_shards[shard].shard = service_context.shards[shard].get();
    parts.push_back(std::move(of_shards[shard]));
  }
  return parts;
}

}  // namespace poold::rpc
