// The sockets that gRPC reads: which connection each is, and bounds that gRPC does not have.
//
// gRPC 1.51 has no hook between a socket and its HTTP/2, and calls every client of a Unix socket "unix:". It reaches
// its sockets through functions of the C library. This file defines those of them that matter for the whole program:
// recvmsg, sendmsg, close and getpeername. For descriptors that were given here they know which connection it is, count
// what was half-sent on it, and cut it when its client does what Http2Guard does not bear, or stops half-way and others
// need the memory (half_read.h); for all others they are the C library's. Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "transport/connection_table.h"
#include "transport/half_read.h"

namespace poold::transport {

// Makes a descriptor known before gRPC gets it; gRPC owns it after OK. The ticket is given back when gRPC closes the
// descriptor. RESOURCE_EXHAUSTED: the peer has misbehaved so much that it has to wait; nothing was changed.
absl::Status KnowGrpcSocket(int fd, Ticket* ticket, std::shared_ptr<HalfRead> half_read);

// The number of the connection that brought a call, from what grpc::ServerContext::peer() says. 0: not known.
std::uint64_t ConnectionOf(std::string_view grpc_peer);

}  // namespace poold::transport
