// Text from somewhere that may hold anything, as valid UTF-8: protobuf's string fields and clients take nothing else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poold::wire {

// How long the UTF-8 character at its beginning is; 0: there is none. REQUIRES: it is not empty.
std::size_t CharacterBytes(std::string_view text);

// At most `max_bytes` of it, cut between characters; each byte that is no UTF-8 becomes U+FFFD.
std::string Readable(std::string_view text, std::size_t max_bytes = std::string_view::npos);

// The same; where it is cut, it ends with how long all of it is. `max_bytes`: at least room for that, some 40.
std::string ReadableStart(std::string_view text, std::size_t max_bytes);

// It is UTF-8 already.
bool IsReadable(std::string_view text);

}  // namespace poold::wire
