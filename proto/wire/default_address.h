// Where daemon and clients meet when nobody says otherwise. One rule, used by both.
#pragma once

#include <string>
#include <string_view>

namespace poold::wire {

// $XDG_RUNTIME_DIR/poold/poold.sock; as root /run/poold/poold.sock; without that variable
// <temporary directory>/poold-<uid>/poold.sock. Creates nothing.
std::string DefaultSocketPath();

// The same as a gRPC target: "unix:<path>".
std::string DefaultAddress();

// The path in a gRPC target. Empty: it is of another kind.
std::string UnixPathOf(std::string_view target);

}  // namespace poold::wire
