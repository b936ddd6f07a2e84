#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

// Values between the command line (JSON) and the wire (MessagePack). No I/O. Any thread.
//
//   JSON            MessagePack
//   7, -7           integer, 64 bits, exact; larger ones are refused
//   1.5, 1.0        float
//   "text"          string; one that is not UTF-8 comes back as {"$bytes": ...}
//   {"$bytes": b64} binary
//   {"$float": "nan" | "inf" | "-inf"}
//   {"$ext": 5, "$bytes": b64}     extension type, only from MessagePack
//   [..] {..} true null            as they are; a key that is no string becomes its JSON text
namespace poold::cli {

using Json = nlohmann::ordered_json;

// One word of the command line: what it says when it is JSON, else a string. InvalidArgument for integers that do not
// fit into 64 bits.
absl::StatusOr<Json> ValueFromWord(std::string_view word);

// One line or document that must be JSON.
absl::StatusOr<Json> ValueFromJson(std::string_view text);

absl::StatusOr<std::string> MsgpackFromValue(const Json& value);
absl::StatusOr<Json> ValueFromMsgpack(std::string_view bytes);

// {"$bytes": "aGk="}.
Json BytesValue(std::string_view bytes);

// The text, or BytesValue where it is not UTF-8.
Json TextValue(std::string_view text);

// On one line, with nothing that acts on a terminal (it is escaped). Never fails.
std::string Dump(const Json& value);

bool IsUtf8(std::string_view text);

}  // namespace poold::cli
