// What somebody may have meant who mistyped a name. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace poold::wire {

// The candidate with the fewest typing errors from `word`. Empty: none is near (within 2 errors, or a third of the
// word, and with at least one letter in common). Looks at the first 512 candidates and at no word above 64 bytes, so
// that a call takes some milliseconds at most.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace poold::wire
