// CommandLine: a parsed command line of poolctl.
#pragma once

#include <variant>

#include "cli/exit_status.h"
#include "cli/options.h"

namespace poold::cli {

// The options of all commands, and the command with its own.
struct CommandLine {
  GlobalOptions global;
  Command command;
};

// Parses the command line. Help, version and complaints are printed here, and the answer is the exit status.
std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv);

}  // namespace poold::cli
