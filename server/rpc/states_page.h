// The states of what a Watch is about, told anew a page at a time: of its handles, or of a pool and of what lives in
// it.
//
// Used by the RPC thread. Ownership: the service context must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rpc/service_context.h"
#include "rpc/shard_parts.h"
#include "rpc/watch_queue.h"

namespace poold::rpc {

class StatesPage {
 public:
  // `parts`: the handles, or the shard of the pool.
  StatesPage(std::vector<ShardPart> parts, std::string pool) : parts_(std::move(parts)), pool_(std::move(pool)) {}

  void Restart() { part_ = next_ = 0; }
  // Adds the next page inside an event, so that the states come in their order. True: there are more.
  bool AddTo(WatchQueue* queue);

 private:
  void AddHandles(const core::Core& core, WatchQueue* queue);
  void AddPool(const core::Core& core, WatchQueue* queue);
  void NextPart() { ++part_, next_ = 0; }

  const std::vector<ShardPart> parts_;
  const std::string pool_;  // empty: of handles
  std::size_t part_ = 0;
  std::uint64_t next_ = 0;  // where to go on in this part
};

}  // namespace poold::rpc
