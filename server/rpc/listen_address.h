// Where the daemon listens: a Unix socket, or a loopback TCP port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace poold::rpc {

struct ListenAddress {
  // Not empty: a Unix socket.
  std::string unix_path;
  // Otherwise a numeric loopback address and a port; port 0: any free one.
  std::string host;
  std::uint16_t port = 0;

  // "unix:/run/poold/poold.sock" or "127.0.0.1:7340" or "[::1]:7340": also what gRPC clients take as a target.
  std::string ToString() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// Takes "unix:PATH", "unix://PATH", "/PATH", "HOST:PORT" and "tcp:HOST:PORT", where HOST is localhost, an address in
// 127.0.0.0/8, or [::1]. Errors: INVALID_ARGUMENT that says what to write instead; anything but loopback is refused.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace poold::rpc
