// What travels: bytes with the name of their encoding.
#pragma once

#include <cstdint>
#include <string>

#include "poold/v1/payload.pb.h"

namespace poold::client {

using Encoding = v1::Encoding;

// Arguments or a result as they are on the wire; see poold/v1/payload.proto. As a result type (TaskHandle<Payload>) it
// takes whatever comes, undecoded.
struct Payload {
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  // With ENCODING_PROTOBUF, the message's full name.
  std::string type_name = {};
  std::string data = {};

  friend bool operator==(const Payload&, const Payload&) = default;
};

}  // namespace poold::client
