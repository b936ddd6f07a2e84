// A configuration as TOML, with every key and a line on each: reading it again gives the same configuration.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace poold::config {

std::string Print(const Config& config);

// A TOML string: quoted and escaped.
std::string Quote(std::string_view text);
// A TOML float: exact, and with something that tells it from an integer.
std::string PrintReal(double number);

}  // namespace poold::config
