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

// What --json prints of the contract's messages. The names are those of the .proto files, and:
//   handles          32 hex digits
//   payloads         the value itself; raw bytes {"$bytes": ...}, protobuf {"$protobuf": type, "$bytes": ...}
//   enums            the name without its prefix: "SUCCEEDED"
//   other bytes      text, {"$bytes": ...} where it is not UTF-8
//   Duration         seconds, a number
//   Timestamp        RFC 3339
//   unset messages and optionals are left out; all else is always there
namespace poold::cli {

Json JsonFromMessage(const google::protobuf::Message& message);

Json JsonFromPayload(const v1::Payload& payload);

google::protobuf::Duration ToProto(Duration duration);

std::string HexFromId(std::string_view id);
// InvalidArgument when the text is not 32 hex digits (dashes, as UUIDs have them, are passed over).
absl::StatusOr<std::string> IdFromHex(std::string_view text);

}  // namespace poold::cli
