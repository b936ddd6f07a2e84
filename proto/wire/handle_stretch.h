// kHandleStretch: the numbering of tasks by clients, by which a daemon with several shards finds a task's shard.
#pragma once

#include <cstdint>

namespace poold::wire {

// The low halves of task ids from one multiple of this number to the next belong to tasks of one pool. A client that
// numbers its tasks otherwise is served too: the daemon searches for its handles. See TaskGroup in
// poold/v1/session.proto.
inline constexpr std::uint64_t kHandleStretch = 4096;

}  // namespace poold::wire
