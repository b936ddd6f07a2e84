// The default address of the daemon: one rule for daemon and clients.
#pragma once

#include <string>
#include <string_view>

namespace poold::wire {

// $XDG_RUNTIME_DIR/poold/poold.sock; as root /run/poold/poold.sock; otherwise, without that variable, <temporary
// directory>/poold-<uid>/poold.sock. Creates nothing.
std::string DefaultSocketPath();

// The path as a gRPC target: "unix:<path>".
std::string DefaultAddress();

// The path in a gRPC target. Empty: the target is of another kind.
std::string UnixPathOf(std::string_view target);

}  // namespace poold::wire
