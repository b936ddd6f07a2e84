// Payload: bytes with the name of their encoding.
#pragma once

#include <cstdint>
#include <string>

#include "poold/v1/payload.pb.h"

namespace poold::client {

using Encoding = v1::Encoding;

// Arguments or a result as they are on the wire; see poold/v1/payload.proto. As a result type (TaskHandle<Payload>) a
// Payload takes every encoding, undecoded. A plain value.
struct Payload {
  // How `data` is encoded.
  Encoding encoding = v1::ENCODING_UNSPECIFIED;
  // The message's full name with ENCODING_PROTOBUF; otherwise empty.
  std::string type_name = {};
  // The encoded bytes.
  std::string data = {};

  friend bool operator==(const Payload&, const Payload&) = default;
};

}  // namespace poold::client
