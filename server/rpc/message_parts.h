// What a message from outside is made of, counted before it is parsed: two bytes on the wire may become an object of
// some hundred.
//
// A part is a message inside of it, an entry of a list, a field that the contract does not know; of packed numbers of
// varying length every tenth byte, since none is longer. A message of few bytes has few parts and is not looked at.
// Performance: linear in the number of fields, whatever their bytes; takes no memory.
// Errors: made by core::MakeError with TOO_MANY, naming the list; or INVALID_FIELD where the bytes are no such message.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <cstdint>

#include "absl/status/status.h"

namespace poold::rpc {

struct PartBounds {
  // Entries of each list of the message itself.
  std::uint64_t most_entries = 0;
  std::uint64_t most_parts = 0;
};

// Messages below this are not looked at.
inline constexpr std::uint64_t kFewMessageBytes = 16 << 10;

absl::Status CheckParts(google::protobuf::io::ZeroCopyInputStream* bytes, const google::protobuf::Descriptor& type,
                        const PartBounds& bounds);

// The bytes are no message of this type.
absl::Status NoSuchMessage(const google::protobuf::Descriptor& type);

}  // namespace poold::rpc
