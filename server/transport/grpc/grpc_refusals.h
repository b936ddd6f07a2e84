// Clients of gRPC whose connections are not wanted: their calls are answered with the reason.
//
// Only an answered call tells it to the caller: gRPC shows nobody what a connection is closed with. Role: greets, waits
// for the first call, answers it and those that came with it without looking at them, says goodbye. Bounded: whoever
// has waited for longest is closed for the next. Threads: one at a time. Ownership: owns their sockets, which are
// non-blocking.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "transport/grpc/http2_frames.h"
#include "wire/unique_fd.h"

namespace poold::transport {

// What a server of HTTP/2 says first.
std::string GrpcGreeting();
// The answer to the call on this stream.
std::string GrpcAnswer(std::uint32_t stream, const absl::Status& status);
// Calls that are under way are answered still; for the next one the client is to connect again.
std::string GrpcGoodbye();
// No call was begun, or will be: these words say why.
std::string GrpcFarewell(std::string_view words);
// No call is answered any more, although some may have been begun: these words say why.
std::string GrpcCutOff(std::string_view words);

class GrpcRefusals {
 public:
  // False: there are no descriptors.
  bool Open();
  // Readable when there is something to do.
  int fd() const { return epoll_.get(); }
  void Add(wire::UniqueFd socket, const absl::Status& why);
  void Proceed();

 private:
  struct Refused {
    wire::UniqueFd socket;
    absl::Status why;
    Http2FrameHeads heads;
    bool has_answered = false;
  };

  // False: the client has gone.
  static bool Read(Refused* refused);
  static void Answer(Refused* refused, std::string_view bytes);

  wire::UniqueFd epoll_;
  std::list<Refused> refused_;
};

}  // namespace poold::transport
