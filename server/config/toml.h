// The configuration file, and single settings in its language.
//
// Errors: INVALID_ARGUMENT with the file and line, the key, what was wanted, and the nearest known key for an unknown
// one: "poold.toml:7: limits.max_polls: unknown key; did you mean 'max_pools'?"
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "config/config.h"

namespace poold::config {

// Says whether something can be listened on, so that a bad address is reported with its line. transport/ knows.
using AddressCheck = std::function<absl::Status(std::string_view)>;

// Puts what the file says over what `config` has.
absl::Status ReadFile(const std::string& path, const AddressCheck& check, Config* config);

// The same of a text; `source` names it in errors. One that is not a file ("--set") has no lines.
enum class Lines { kYes, kNo };
absl::Status ReadText(std::string_view text, std::string_view source, Lines lines, const AddressCheck& check,
                      Config* config);

}  // namespace poold::config
