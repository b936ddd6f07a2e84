// Which clients have a session now.
//
// Under the core's mutex: so nobody comes or goes between the question whether an owner is there and the opening of its
// pool.
#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "core/types.h"

namespace poold::rpc {

class PresentClients {
 public:
  // True: this is its first session.
  bool Come(core::ClientId client) { return ++sessions_[client] == 1; }
  // True: that was its last one. REQUIRES: it came.
  bool Go(core::ClientId client) {
    const auto found = sessions_.find(client);
    if (--found->second > 0) return false;
    sessions_.erase(found);
    return true;
  }
  bool Has(core::ClientId client) const { return sessions_.contains(client); }

 private:
  absl::flat_hash_map<core::ClientId, std::uint32_t> sessions_;
};

}  // namespace poold::rpc
