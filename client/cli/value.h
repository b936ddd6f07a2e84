#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

// Values between the command line (JSON) and the wire (MessagePack), there and back, type and bits. No I/O. Any thread.
//
//   JSON                       MessagePack
//   7, -7                      integer of 64 bits, exact; larger ones are refused
//   1.5, 1.0, -0.0             float of 64 bits; beyond its range is refused
//   "text"                     string
//   [..] {..} true null        as they are; a key that is there twice is refused, and what is nested deeper than 512
// What JSON does not know has a mark:
//   {"$bytes": base64}         binary
//   {"$text": base64}          a string that is not UTF-8
//   {"$float": "nan"}          also "inf", "-inf", and "0x" with 16 digits: the bits of any other NaN
//   {"$float32": 1.5}          float of 32 bits; also as $float
//   {"$map": [[1, "one"]]}     a map with keys that are no texts, there twice, or begin with $
//   {"$ext": 5, "$bytes": b64} extension type
namespace poold::cli {

using Json = nlohmann::ordered_json;

// One word of the command line: what it says when it is JSON, else a string. InvalidArgument for JSON that cannot
// travel as it reads.
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
