// Who may connect to a Unix socket of the daemon: its own user, and root.
#pragma once

namespace poold::rpc {

// False is logged.
bool IsOurUser(int connection);

}  // namespace poold::rpc
