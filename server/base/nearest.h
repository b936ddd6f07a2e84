// Nearest: the word that a mistyped word probably meant. Pure functions, bounded to some milliseconds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace poold::base {

// The candidate with the fewest typing errors from `word`; empty: none is near (within 2 errors, or a third of the
// word). Looks at the first 512 candidates, and at no word above 64 bytes.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'x'?", or nothing. For the end of an error's message.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace poold::base
