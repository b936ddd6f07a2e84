// Connections to a daemon on this host without gRPC: through its payload socket, or through its TCP port.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "google/rpc/status.pb.h"
#include "poold/client/internal/deadline.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

// The bound of messages from the daemon, which are as large as what it was asked for.
inline constexpr std::uint32_t kNoLimit = std::numeric_limits<std::uint32_t>::max();

// The address of a daemon for ConnectToDaemon, from a target of gRPC: the path of the payload socket, or the loopback
// address and port. Empty: gRPC is the only way there.
std::string AddressWithoutGrpc(std::string_view target);

// A connected, non-blocking socket that speaks poold/v1/payload_socket.md. None: nobody listens there, or not now.
// Takes a fraction of a second at most.
wire::UniqueFd ConnectToDaemon(const std::string& address);

// The status of a call or a session, which the daemon said last.
grpc::Status ToGrpc(const google::rpc::Status& status);

// Whether the events came before the deadline.
bool AwaitSocket(int socket, short events, Deadline deadline);

}  // namespace poold::client::internal
