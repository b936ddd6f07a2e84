// A configuration as TOML, with every key and a line on each: reading it again gives the same configuration.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace poold::config {

// The configuration as TOML, with every key and a line of help on each. Reading the text again gives the same
// configuration.
std::string Print(const Config& config);

// A TOML string: quoted and escaped.
std::string Quote(std::string_view text);
// A TOML float: exact, and different from an integer.
std::string PrintReal(double number);

}  // namespace poold::config
