// Flags: the command line of poold.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"
#include "config/toml.h"

namespace poold::config {

// The action of the process.
enum class Action { kRun, kCheckConfig, kPrintConfig, kPrintText };

// A setting by a flag, in the language of the configuration file: "--max-connections", "max_connections = 10".
struct Setting {
  // The flag, for error messages.
  std::string flag;
  // One line of TOML.
  std::string toml;
};

// The parsed command line. A plain value.
struct Flags {
  Action action = Action::kRun;
  // With kPrintText: the help or the version.
  std::string text;
  // Empty: there is no configuration file.
  std::string config_file;
  std::vector<Setting> settings;
};

// Parses the command line. INVALID_ARGUMENT: a usage error, in words for people.
absl::Status ParseFlags(int argc, const char* const* argv, Flags* flags);

// Makes the configuration: defaults, file, settings, Finish. Errors as ReadFile and Finish.
absl::Status LoadConfig(const Flags& flags, const Surroundings& surroundings, const AddressCheck& check,
                        Config* config);

}  // namespace poold::config
