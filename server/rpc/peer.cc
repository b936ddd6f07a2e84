#include "rpc/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

namespace poold::rpc {

bool IsOurUser(int connection) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == geteuid() || peer.uid == 0) return true;
  base::Log(base::Level::kWarning, "connection_refused",
            {{"reason", "another user"}, {"uid", peer.uid}, {"pid", peer.pid}});
  return false;
}

}  // namespace poold::rpc
