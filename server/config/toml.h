// Reading of the configuration file, and of single settings in its language.
//
// Errors: INVALID_ARGUMENT with the file and line, the key, the value that was wanted, and the nearest known key for an
//   unknown one: "poold.toml:7: limits.max_polls: unknown key; did you mean 'max_pools'?"
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "config/config.h"

namespace poold::config {

// Whether the daemon can listen on an address, so that a bad address is reported with its line. Implemented by
// transport/.
using AddressCheck = std::function<absl::Status(std::string_view)>;

// Reads a file over the values of `config`.
absl::Status ReadFile(const std::string& path, const AddressCheck& check, Config* config);

// Whether errors name lines: a text that is no file ("--set") has none.
enum class Lines { kYes, kNo };
// As ReadFile, of a text; `source` names the text in errors.
absl::Status ReadText(std::string_view text, std::string_view source, Lines lines, const AddressCheck& check,
                      Config* config);

// A configuration as TOML, with every key and a line on each: reading it again gives the same configuration.

// The configuration as TOML, with every key and a line of help on each. Reading the text again gives the same
// configuration.
std::string Print(const Config& config);

// A TOML string: quoted and escaped.
std::string Quote(std::string_view text);
// A TOML float: exact, and different from an integer.
std::string PrintReal(double number);

}  // namespace poold::config
