// Peer: the other end of a connection as the kernel describes it, whatever name the client gives itself.
//
// Values and pure functions; any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/types.h"

namespace poold::transport {

// The way by which a client speaks to the daemon.
enum class Transport : std::uint8_t {
  kUnknown,
  // A Unix socket, through gRPC.
  kGrpcUnix,
  // A TCP port, through gRPC or without it.
  kGrpcTcp,
  // Through the payload socket: poold/v1/payload_socket.md.
  kLocal,
};

struct Peer {
  static constexpr uid_t kUnknownId = ~uid_t{0};

  Transport transport = Transport::kUnknown;
  // User, group and process at the other end of a Unix socket; TCP does not tell them.
  uid_t uid = kUnknownId;
  gid_t gid = kUnknownId;
  pid_t pid = 0;
  // The address of a TCP peer without its port. Empty for Unix sockets.
  std::string host;
  // The number of the connection, unique across transports and never used again. 0: not known.
  std::uint64_t connection = 0;

  // "uid=1000 pid=4711", "host=127.0.0.1".
  std::string ToString() const;
};

// The peer in the core's terms.
core::ClientOrigin OriginOf(const Peer& peer);

// The peer of a connection that was just accepted, without a number. Nothing: the connection is gone already.
std::optional<Peer> PeerOf(int fd, Transport transport);

// Whether the peer may connect. A Unix socket takes this process's own user and root; TCP, which is on loopback only,
// takes everybody.
bool MayConnect(const Peer& peer);

// Whether the peer is of this process's user (root only if this process is root), so that the two may share memory.
bool IsSameUser(const Peer& peer);

}  // namespace poold::transport
