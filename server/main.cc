// poold: flags -> Config -> Daemon -> wait for a signal -> exit code.
#include <malloc.h>
#include <sys/resource.h>
#include <sysexits.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/cpus.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/memory_budget.h"
#include "config/config.h"
#include "config/flags.h"
#include "config/toml.h"
#include "daemon.h"
#include "transport/listen.h"
#include "wire/absl_text.h"
#include "wire/default_address.h"
#include "wire/process_order.h"

namespace poold {
namespace {

int Fail(int exit_code, const absl::Status& status) {
  std::fprintf(stderr, "poold: %s\n", std::string(wire::ToStd(status.message())).c_str());
  return exit_code;
}

// As Fail, but of a running daemon: a line of the log.
int LogAndFail(int exit_code, std::string_view event, const absl::Status& status) {
  base::Log(base::Level::kError, event, {{"why", wire::ToStd(status.message())}, {"exit_code", exit_code}});
  return exit_code;
}

config::Surroundings FindSurroundings() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const char* const temporary = std::getenv("TMPDIR");
  const std::string spool_folder = temporary != nullptr && temporary[0] == '/' ? temporary : "/var/tmp";
  return {self.parent_path().string(), wire::DefaultAddress(), base::UsableCpus(), spool_folder};
}

// Every worker costs the daemon some, and so does every connection.
std::uint64_t DescriptorLimit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

int Print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return EX_OK;
  return Fail(EX_IOERR, absl::ErrnoToStatus(errno, "standard output"));
}

// Each arena of the C library takes address space for itself, far more than it uses.
void BoundArenas(std::uint64_t address_space) {
  constexpr std::uint64_t kArenaBytes = 64ull << 20;
  if (address_space == base::MemoryBounds::kUnlimited) return;
  mallopt(M_ARENA_MAX, static_cast<int>(std::clamp<std::uint64_t>(address_space / 8 / kArenaBytes, 1, 8)));
}

// Before there are threads, whose stacks are mapped, too.
std::shared_ptr<const base::MemoryBudget> FindMemory(std::uint64_t wanted) {
  const base::MemoryBounds bounds = base::FindMemoryBounds();
  BoundArenas(bounds.address_space);
  const std::uint64_t bytes = wanted != 0 ? wanted : base::AutomaticBudget(bounds);
  return std::make_shared<const base::MemoryBudget>(std::max(bytes, config::kLeastBudget));
}

int Run(config::Config config) {
  std::vector<transport::ListenAddress> addresses;
  for (const std::string& text : config.listen) addresses.push_back(transport::ParseListenAddress(text).value());
  base::SetLogLevel(config.log_level);
  // Payloads in files leave enough of them to connections and workers.
  config.spool.max_files = std::min(config.spool.max_files, DescriptorLimit() / 2);
  base::PutDescriptorsBy();
  const std::shared_ptr<const base::MemoryBudget> memory = FindMemory(config.memory_budget_bytes);
  config::FitToMemory(*memory, &config);
  BlockSignals();
  Daemon daemon(std::move(config), memory);
  if (const absl::Status status = daemon.StartProcesses(); !status.ok()) {
    return LogAndFail(EX_CONFIG, "no_containment", status);
  }
  if (const absl::Status status = daemon.Listen(addresses); !status.ok()) {
    return LogAndFail(EX_UNAVAILABLE, "cannot_listen", status);
  }
  daemon.Run();
  return EX_OK;
}

int Main(int argc, char** argv) {
  config::Flags flags;
  if (const absl::Status status = config::ParseFlags(argc, argv, &flags); !status.ok()) return Fail(EX_USAGE, status);
  if (flags.action == config::Action::kPrintText) return Print(flags.text);
  const config::AddressCheck check_address = [](std::string_view text) {
    return transport::ParseListenAddress(text).status();
  };
  config::Config config;
  const absl::Status status = config::LoadConfig(flags, FindSurroundings(), check_address, &config);
  if (!status.ok()) return Fail(EX_CONFIG, status);
  if (flags.action == config::Action::kCheckConfig) return EX_OK;
  if (flags.action == config::Action::kPrintConfig) return Print(config::Print(config));
  return Run(std::move(config));
}

}  // namespace
}  // namespace poold

int main(int argc, char** argv) {
  poold::wire::PutProcessInOrder(poold::wire::ProgramKind::kDaemon);
  // Debian's Abseil is built with debugging checks; this one is costly.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return poold::Main(argc, argv);
}
