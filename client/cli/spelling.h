#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace poold::cli {

// How many letters must be put in, taken out or replaced.
std::size_t Distance(const std::string& a, const std::string& b);

// The candidate that was probably meant. Empty: none is near.
std::string Nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace poold::cli
