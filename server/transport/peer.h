// The other end of a connection as the kernel describes it, beside whatever a client calls itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/types.h"

namespace poold::transport {

enum class Transport : std::uint8_t {
  kUnknown,
  kGrpcUnix,
  kGrpcTcp,
  kLocal,  // the payload socket: poold/v1/payload_socket.md
};

struct Peer {
  static constexpr uid_t kUnknownId = ~uid_t{0};

  Transport transport = Transport::kUnknown;
  // Of the process that connected, through a Unix socket; TCP does not tell.
  uid_t uid = kUnknownId;
  gid_t gid = kUnknownId;
  pid_t pid = 0;
  // Of TCP: the address without its port. Empty for Unix sockets.
  std::string host;
  // Each connection has one of its own, whatever its transport; never used again. 0: not known.
  std::uint64_t connection = 0;

  // "uid=1000 pid=4711", "host=127.0.0.1".
  std::string ToString() const;
};

// As the core knows a client.
core::ClientOrigin OriginOf(const Peer& peer);

// Of a connection that was just accepted, still without a number. Nothing: it is gone already.
std::optional<Peer> PeerOf(int fd, Transport transport);

// A Unix socket takes this process's own user, and root. TCP is on loopback only and takes everybody there.
bool MayConnect(const Peer& peer);

// The same user as this process's, root among them only if this is root: the two need not fear each other.
bool IsSameUser(const Peer& peer);

}  // namespace poold::transport
