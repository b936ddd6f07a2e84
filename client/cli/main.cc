// poolctl: poold on the command line.
#include <unistd.h>

#include <cstdio>
#include <variant>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "poold/client.h"

namespace poold::cli {
namespace {

ExitStatus Main(int argc, const char* const* argv) {
  auto parsed = ParseCommandLine(argc, argv);
  if (const auto* status = std::get_if<ExitStatus>(&parsed)) return *status;
  const CommandLine& line = std::get<CommandLine>(parsed);
  const bool waits_with_us =
      std::holds_alternative<SubmitOptions>(line.command) || std::holds_alternative<MapOptions>(line.command);
  if (waits_with_us) Interrupt::Block();
  auto client = client::Client::Connect({.address = line.global.address, .client_name = "poolctl"});
  if (!client.ok()) return Complain(client.status());
  Context context(line.global, *std::move(client));
  return std::visit([&context](const auto& options) { return Run(options, context); }, line.command);
}

}  // namespace
}  // namespace poold::cli

int main(int argc, char** argv) {
  const poold::cli::ExitStatus status = poold::cli::Main(argc, argv);
  // A full disk or a reader that went away is a failure too.
  if (std::fflush(stdout) != 0 && status == poold::cli::ExitStatus::kOk) return 74;
  return static_cast<int>(status);
}
