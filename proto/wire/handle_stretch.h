// How clients number their tasks, so that a daemon with several shards finds them at once.
#pragma once

#include <cstdint>

namespace poold::wire {

// The low halves of task ids from a multiple of this on, so many of them, belong to tasks of one pool. A client that
// numbers otherwise is served all the same: its handles are looked for. See TaskGroup in poold/v1/session.proto.
inline constexpr std::uint64_t kHandleStretch = 4096;

}  // namespace poold::wire
