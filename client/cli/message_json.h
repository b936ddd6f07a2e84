// JSON of the contract's messages, as --json prints them. The names are those of the .proto files, and:
//   handles          32 hex digits
//   payloads         the value itself; raw bytes {"$bytes": ...}, protobuf {"$protobuf": type, "$bytes": ...}
//   enums            the name without its prefix: "SUCCEEDED"
//   other bytes      text, {"$bytes": ...} where it is not UTF-8
//   Duration         seconds, a number
//   Timestamp        RFC 3339
//   unset messages and optionals are left out; every other field is there
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "cli/options.h"
#include "cli/value.h"

namespace google::protobuf {
class Duration;
class Message;
}  // namespace google::protobuf

namespace poold::v1 {
class Payload;
}

namespace poold::cli {

// Never fails.
Json JsonFromMessage(const google::protobuf::Message& message);

Json JsonFromPayload(const v1::Payload& payload);

// The duration as a message of the contract.
google::protobuf::Duration ToProto(Duration duration);

// The 32 digits of an id of 16 bytes.
std::string HexFromId(std::string_view id);
// The 16 bytes of an id. INVALID_ARGUMENT: the text is not 32 hex digits (dashes, as in UUIDs, are passed over).
absl::StatusOr<std::string> IdFromHex(std::string_view text);

}  // namespace poold::cli
