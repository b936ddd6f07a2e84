// Text from outside made fit for a proto string.
#pragma once

#include <string>
#include <string_view>

namespace poold::base {

// Valid UTF-8: each byte of `text` that is not part of a valid character becomes '?'. What workers and clients say goes
// through it before it enters a proto string or a list.
std::string ToUtf8(std::string_view text);

}  // namespace poold::base
