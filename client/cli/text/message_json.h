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
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cli/grammar/options.h"
#include "cli/text/value.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace poold::v1 {
class Payload;
}

namespace poold::cli {

// Never fails.
Json JsonFromMessage(const google::protobuf::Message& message);

Json JsonFromPayload(const v1::Payload& payload);

// The 32 digits of an id of 16 bytes.
std::string HexFromId(std::string_view id);
// The 16 bytes of an id. INVALID_ARGUMENT: the text is not 32 hex digits (dashes, as in UUIDs, are passed over).
absl::StatusOr<std::string> IdFromHex(std::string_view text);

// Adds the ids of these digits to a request. INVALID_ARGUMENT names the text that is no id.
template <typename Request>
absl::Status AddIds(const std::vector<std::string>& digits, Request& request) {
  for (const std::string& text : digits) {
    auto id = IdFromHex(text);
    if (!id.ok()) return id.status();
    request.add_ids(*std::move(id));
  }
  return absl::OkStatus();
}

}  // namespace poold::cli
