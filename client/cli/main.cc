// poolctl: poold on the command line.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/grammar/completion.h"
#include "cli/grammar/options.h"
#include "cli/live/absence.h"
#include "cli/live/interrupt.h"
#include "cli/live/terminal.h"
#include "poold/client.h"
#include "wire/process_order.h"

namespace poold::cli {
namespace {

constexpr Duration kMayBeAway = std::chrono::seconds(30);

// Before the client starts its threads: who waits for signals shall be the only one.
void BlockSignals(const CommandLine& line) {
  const bool waits =
      std::holds_alternative<SubmitOptions>(line.command) || std::holds_alternative<MapOptions>(line.command);
  if (waits) Interrupt::Block();
  const auto* top = std::get_if<TopOptions>(&line.command);
  if (top != nullptr && IsLive(*top, line.global)) Screen::BlockSignals();
}

absl::StatusOr<client::Client> Connect(const GlobalOptions& global) {
  const auto absence = std::make_shared<Absence>(global.daemon_timeout.value_or(kMayBeAway));
  client::ClientOptions options{.address = global.address, .client_name = "poolctl"};
  options.on_connection = [absence](const absl::Status& connection) { absence->Heard(connection); };
  options.wait_for_daemon = global.daemon_timeout.has_value();
  if (global.daemon_timeout) options.connect_timeout = *global.daemon_timeout;
  return client::Client::Connect(std::move(options));
}

ExitStatus Main(int argc, const char* const* argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--complete") {
    Complete(std::vector<std::string>(argv + 2, argv + argc));
    return ExitStatus::kOk;
  }
  auto parsed = ParseCommandLine(argc, argv);
  if (const auto* status = std::get_if<ExitStatus>(&parsed)) return *status;
  const CommandLine& line = std::get<CommandLine>(parsed);
  BlockSignals(line);
  auto client = Connect(line.global);
  if (!client.ok()) return Complain(client.status());
  Context context(line.global, *std::move(client));
  return std::visit([&context](const auto& options) { return Run(options, context); }, line.command);
}

}  // namespace
}  // namespace poold::cli

int main(int argc, char** argv) {
  using poold::cli::ExitStatus;
  poold::wire::PutProcessInOrder(poold::wire::ProgramKind::kCommand);
  // A reader that goes away is told by write, so that what is left can be cancelled.
  signal(SIGPIPE, SIG_IGN);
  const ExitStatus status = poold::cli::Main(argc, argv);
  return static_cast<int>(poold::cli::Written() ? status : ExitStatus::kNoOutput);
}
