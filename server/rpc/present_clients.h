// Which clients have a session now, and which sessions.
//
// Under the core's mutex: so nobody comes or goes between the question whether an owner is there and the opening of its
// pool.
#pragma once

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/types.h"

namespace poold::rpc {

class PresentClients {
 public:
  // True: this is its first session.
  bool Come(core::ClientId client, core::SubscriberId session) {
    std::vector<core::SubscriberId>& sessions = sessions_[client];
    sessions.push_back(session);
    return sessions.size() == 1;
  }
  // True: that was its last one. REQUIRES: it came.
  bool Go(core::ClientId client, core::SubscriberId session) {
    const auto found = sessions_.find(client);
    std::erase(found->second, session);
    if (!found->second.empty()) return false;
    sessions_.erase(found);
    return true;
  }
  bool Has(core::ClientId client) const { return sessions_.contains(client); }
  template <typename Visit>
  void ForEach(core::ClientId client, Visit visit) const {
    const auto found = sessions_.find(client);
    if (found == sessions_.end()) return;
    for (const core::SubscriberId session : found->second) visit(session);
  }

 private:
  absl::flat_hash_map<core::ClientId, std::vector<core::SubscriberId>> sessions_;
};

}  // namespace poold::rpc
