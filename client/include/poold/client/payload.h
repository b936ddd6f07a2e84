// Payload: bytes with the name of their encoding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "poold/codec/payload.h"

namespace poold::client {

using codec::Encoding;

// The contract's word without its prefix: "MSGPACK". "UNKNOWN": the number of a newer daemon.
std::string_view ToString(Encoding encoding);

// Arguments or a result as they are on the wire; see poold/v1/payload.proto. As a result type (TaskHandle<Payload>) a
// Payload takes every encoding, undecoded. A plain value.
struct Payload {
  // How `data` is encoded.
  Encoding encoding = Encoding::kUnspecified;
  // The message's full name with kProtobuf; otherwise empty.
  std::string type_name = {};
  // The encoded bytes.
  std::string data = {};
  // Told in an Outcome: the size of the whole in bytes. Larger than `data`: the bytes did not come with the outcome,
  // and TaskHandle::Get or Connection::Download brings them. Otherwise 0.
  std::uint64_t size_bytes = 0;

  friend bool operator==(const Payload&, const Payload&) = default;
};

}  // namespace poold::client
