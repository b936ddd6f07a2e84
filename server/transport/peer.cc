#include "transport/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace poold::transport {
namespace {

std::optional<std::string> HostOf(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = "";
  const void* const address = name.ss_family == AF_INET6
                                  ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&name)->sin6_addr)
                                  : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&name)->sin_addr);
  return inet_ntop(name.ss_family, address, text, sizeof text);
}

}  // namespace

std::string Peer::ToString() const {
  if (!host.empty()) return absl::StrCat("host=", host);
  return absl::StrCat("uid=", uid, " pid=", pid);
}

core::ClientOrigin OriginOf(const Peer& peer) {
  core::ClientOrigin origin{.connection = peer.connection};
  if (peer.uid == Peer::kUnknownId) return origin;
  origin.uid = peer.uid;
  origin.gid = peer.gid;
  origin.pid = peer.pid;
  return origin;
}

std::optional<Peer> PeerOf(int fd, Transport transport) {
  Peer peer{.transport = transport};
  if (transport == Transport::kGrpcTcp) {
    const std::optional<std::string> host = HostOf(fd);
    if (!host) return std::nullopt;
    peer.host = *host;
    return peer;
  }
  ucred process{};
  socklen_t size = sizeof process;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &process, &size) != 0) return std::nullopt;
  peer.uid = process.uid;
  peer.gid = process.gid;
  peer.pid = process.pid;
  return peer;
}

bool MayConnect(const Peer& peer) {
  return peer.transport == Transport::kGrpcTcp || peer.uid == geteuid() || peer.uid == 0;
}

bool IsSameUser(const Peer& peer) { return peer.uid == geteuid(); }

}  // namespace poold::transport
