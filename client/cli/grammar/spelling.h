#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace poold::cli {

// The number of letters to insert, remove or replace that makes `b` of `a`.
std::size_t Distance(const std::string& a, const std::string& b);

// The candidate that is nearest to the word, at a distance below 3. Empty: none is near.
std::string Nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace poold::cli
