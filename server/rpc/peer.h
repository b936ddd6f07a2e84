// Who is at the other end of a Unix socket. Connect may the daemon's own user, and root.
#pragma once

namespace poold::rpc {

// False is logged.
bool IsOurUser(int connection);

// The same user as this process's, root among them only if this is root: the two need not fear each other.
bool IsSameUser(int connection);

}  // namespace poold::rpc
