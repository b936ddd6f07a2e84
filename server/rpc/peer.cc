#include "rpc/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "base/log.h"

namespace poold::rpc {

namespace {

std::optional<ucred> PeerOf(int connection) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer;
}

}  // namespace

bool IsOurUser(int connection) {
  const std::optional<ucred> peer = PeerOf(connection);
  if (!peer) return false;
  if (peer->uid == geteuid() || peer->uid == 0) return true;
  base::Log(base::Level::kWarning, "connection_refused",
            {{"reason", "another user"}, {"uid", peer->uid}, {"pid", peer->pid}});
  return false;
}

bool IsSameUser(int connection) {
  const std::optional<ucred> peer = PeerOf(connection);
  return peer && peer->uid == geteuid();
}

}  // namespace poold::rpc
