#pragma once

#include <variant>

#include "cli/exit_status.h"
#include "cli/options.h"

namespace poold::cli {

struct CommandLine {
  GlobalOptions global;
  Command command;
};

// Parses. Help, version and complaints are printed here; then the exit status is the answer.
std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv);

}  // namespace poold::cli
