// What a client is told whose connection is not wanted, in the words of its transport.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace poold::rpc {

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

// An answer of the payload socket, to whatever is asked.
std::string LocalFarewell();

}  // namespace poold::rpc
