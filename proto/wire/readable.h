// Text of any origin as valid UTF-8, which protobuf's string fields and clients require. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poold::wire {

// The length of the UTF-8 character at the beginning, in bytes; 0: there is none. REQUIRES: text is not empty.
std::size_t CharacterBytes(std::string_view text);

// At most `max_bytes` of the text, cut between characters; each byte that is not UTF-8 becomes U+FFFD.
std::string Readable(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// As Readable; a text that is cut ends with the length of the whole. REQUIRES: max_bytes is at least about 40.
std::string ReadableStart(std::string_view text, std::size_t max_bytes);

// The text with '?' in place of each byte that is not UTF-8, so that its length stays. For lists and bounded fields.
std::string ToUtf8(std::string_view text);

// Whether the text is UTF-8.
bool IsReadable(std::string_view text);

}  // namespace poold::wire
