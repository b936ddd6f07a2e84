// The command line: what to do, and what it says over the configuration file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"
#include "config/toml.h"

namespace poold::config {

enum class Action { kRun, kCheckConfig, kPrintConfig, kPrintText };

// A setting made by a flag, in the language of the configuration file.
struct Setting {
  std::string flag;  // "--max-connections"
  std::string toml;  // "max_connections = 10"
};

struct Flags {
  Action action = Action::kRun;
  // With kPrintText: the help or the version.
  std::string text;
  // Empty: no configuration file.
  std::string config_file;
  std::vector<Setting> settings;
};

// Errors: INVALID_ARGUMENT, a usage error, in words for the user.
absl::Status ParseFlags(int argc, const char* const* argv, Flags* flags);

// Defaults, file, settings, Finish.
absl::Status LoadConfig(const Flags& flags, const Surroundings& surroundings, const AddressCheck& check,
                        Config* config);

}  // namespace poold::config
