#include "cli/command_line.h"

#include "cli/grammar.h"

namespace poold::cli {

std::variant<CommandLine, ExitStatus> ParseCommandLine(int argc, const char* const* argv) {
  return Grammar().Parse(argc, argv);
}

}  // namespace poold::cli
