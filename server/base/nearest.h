// The word that somebody who mistyped probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace poold::base {

// The candidate with the fewest typing errors from `word`, if there are few enough for a mistake; else empty. Looks at
// the first 512 candidates, and at no word above 64 bytes.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'x'?", or nothing.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace poold::base
