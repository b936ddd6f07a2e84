// Text from somewhere that may hold anything, as valid UTF-8: protobuf's string fields and clients take nothing else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poold::wire {

// At most `max_bytes` of it, cut between characters; what is no UTF-8 becomes '?'.
std::string Readable(std::string_view text, std::size_t max_bytes = std::string_view::npos);

}  // namespace poold::wire
