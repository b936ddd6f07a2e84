// GrpcRefusals: clients of gRPC whose connections are refused. Their calls are answered with the reason, because gRPC
// shows a caller only the answer of a call, not the reason for which a connection was closed.
//
// Role: greets, waits for the first call, answers it and those that came with it without looking at them, says goodbye.
// Non-role: decides nothing about who is refused.
// Bounds: the connection that has waited for longest is closed for the next one. Threads: one at a time. Ownership:
// owns the sockets, which are non-blocking. Errors: a socket that fails is closed.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "transport/grpc/http2_frames.h"
#include "wire/unique_fd.h"

namespace poold::transport {

// The first bytes of a server of HTTP/2.
std::string GrpcGreeting();
// The answer to the call on this stream.
std::string GrpcAnswer(std::uint32_t stream, const absl::Status& status);
// A goodbye after which calls under way are answered still; for the next call the client connects again.
std::string GrpcGoodbye();
// A goodbye that says in these words why no call was begun or will be.
std::string GrpcFarewell(std::string_view words);
// A goodbye that says in these words why no call is answered any more, although some may have been begun.
std::string GrpcCutOff(std::string_view words);

class GrpcRefusals {
 public:
  // Makes the descriptor to wait on. False: no descriptors are left.
  bool Open();
  // Readable when there is something to do.
  int fd() const { return epoll_.get(); }
  // Takes a connection that is refused for this reason.
  void Add(wire::UniqueFd socket, const absl::Status& why);
  // Reads and answers, without blocking.
  void Proceed();

 private:
  // A connection that waits for its first call, or for the client to close.
  struct Refused {
    wire::UniqueFd socket;
    absl::Status why;
    // Finds the frames that the client sends.
    Http2FrameHeads heads;
    // The answer was sent: what comes is read and dropped.
    bool has_answered = false;
  };

  // False: the client has gone.
  static bool Read(Refused* refused);
  static void Answer(Refused* refused, std::string_view bytes);

  wire::UniqueFd epoll_;
  // The one that has waited for longest first.
  std::list<Refused> refused_;
};

}  // namespace poold::transport
