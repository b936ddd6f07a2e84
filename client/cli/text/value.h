// Conversion between values of the command line (JSON) and the wire (MessagePack), in both directions, type and bits.
// Pure functions; any thread.
//
//   JSON                       MessagePack
//   7, -7                      integer of 64 bits, exact; larger ones are refused
//   1.5, 1.0, -0.0             float of 64 bits; beyond its range is refused
//   "text"                     string
//   [..] {..} true null        the same; a key that is there twice, and nesting deeper than 512, are refused
// Values that JSON does not know have a mark:
//   {"$bytes": base64}         binary
//   {"$text": base64}          a string that is not UTF-8
//   {"$float": "nan"}          also "inf", "-inf", and "0x" with 16 digits: the bits of any other NaN
//   {"$float32": 1.5}          float of 32 bits; also as $float
//   {"$map": [[1, "one"]]}     a map with keys that are no texts, there twice, or begin with $
//   {"$ext": 5, "$bytes": b64} extension type
// Errors: INVALID_ARGUMENT says which value is refused and how to write it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

namespace poold::cli {

using Json = nlohmann::ordered_json;

// A word of the command line: its value if it is JSON, otherwise a string. INVALID_ARGUMENT: JSON that would not travel
// unchanged.
absl::StatusOr<Json> ValueFromWord(std::string_view word);

// A line or document that must be JSON.
absl::StatusOr<Json> ValueFromJson(std::string_view text);

// The value in MessagePack. INVALID_ARGUMENT: a mark with a wrong value, or too deep.
absl::StatusOr<std::string> MsgpackFromValue(const Json& value);
// The value of MessagePack bytes. INVALID_ARGUMENT: the bytes are not one value.
absl::StatusOr<Json> ValueFromMsgpack(std::string_view bytes);

// {"$bytes": "aGk="}.
Json BytesValue(std::string_view bytes);

// The text, or BytesValue where the text is not UTF-8.
Json TextValue(std::string_view text);

// The JSON on one line, safe for a terminal. Never fails.
std::string Dump(const Json& value);

// Whether the text is UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace poold::cli
