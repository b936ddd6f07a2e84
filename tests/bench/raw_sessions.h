#pragma once

#include <string>
#include <vector>

namespace poold::bench {

// The role of a program with many connections: a Session of the contract on each, without an SDK, driven by one thread.
// Arguments: the daemon's address, a pool, how many connections.
//
// Says "ready" when the daemon has greeted all of them. Then for each line "<n>" it runs n no-op tasks on each
// connection, 64 of them under way, and says "done". Ends when its input ends.
int HoldSessions(const std::vector<std::string>& arguments);

}  // namespace poold::bench
