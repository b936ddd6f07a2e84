#include "process/death.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace poold::process {
namespace {

core::Nanos ToNanos(const timeval& time) { return time.tv_sec * core::kSecond + time.tv_usec * core::Nanos{1000}; }

bool UsedUp(core::Nanos cpu_time, std::uint64_t seconds) {
  return static_cast<std::uint64_t>(cpu_time / core::kSecond) >= seconds;
}

}  // namespace

wire::UniqueFd OpenPidFd(pid_t pid) { return wire::UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

void SendSignal(const wire::UniqueFd& pidfd, int signal) {
  if (pidfd) syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

bool IsOurChild(pid_t pid) {
  siginfo_t unused{};
  return waitid(P_PID, static_cast<id_t>(pid), &unused, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

std::optional<Death> Reap(pid_t pid) {
  int status = 0;
  rusage usage{};
  pid_t reaped;
  do {
    // Children of clone with another exit signal than SIGCHLD need __WALL.
    reaped = wait4(pid, &status, WNOHANG | __WALL, &usage);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return Death{.exit_code = -1};
  if (reaped != pid) return std::nullopt;
  Death death;
  if (WIFSIGNALED(status)) death.signal = WTERMSIG(status);
  if (WIFEXITED(status)) death.exit_code = WEXITSTATUS(status);
  death.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  death.cpu_time = ToNanos(usage.ru_utime) + ToNanos(usage.ru_stime);
  return death;
}

std::string Describe(const Death& death) {
  if (death.signal == 0) return "exited with code " + std::to_string(death.exit_code);
  const char* const name = sigabbrev_np(death.signal);
  return "was killed by " + (name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(death.signal));
}

core::KilledBy Blame(const Death& death, const ResourceLimits& limits, bool out_of_memory) {
  const auto cpu_limit = limits.find(core::ResourceKind::kCpuSeconds);
  switch (death.signal) {
    case SIGXCPU:
      return cpu_limit != limits.end() ? core::KilledBy::kKernel : core::KilledBy::kItself;
    case SIGXFSZ:
      return limits.contains(core::ResourceKind::kFileSizeBytes) ? core::KilledBy::kKernel : core::KilledBy::kItself;
    case SIGKILL:
      if (out_of_memory) return core::KilledBy::kKernel;
      // It ignored SIGXCPU and came to the hard limit.
      if (cpu_limit != limits.end() && UsedUp(death.cpu_time, cpu_limit->second)) return core::KilledBy::kKernel;
      return core::KilledBy::kOutsider;
    case SIGTERM:
    case SIGINT:
    case SIGHUP:
    case SIGQUIT:
      return core::KilledBy::kOutsider;
    default:
      return core::KilledBy::kItself;
  }
}

std::uint64_t ReadResidentBytes(pid_t pid, std::uint64_t arena_bytes) {
  const wire::UniqueFd file(open(("/proc/" + std::to_string(pid) + "/statm").c_str(), O_RDONLY | O_CLOEXEC));
  char text[128];
  const ssize_t got = file ? read(file.get(), text, sizeof text - 1) : 0;
  if (got <= 0) return 0;
  text[got] = '\0';
  // "<all> <resident> <of files and shared> ...", in pages.
  char* at = text;
  strtoull(at, &at, 10);
  const std::uint64_t resident = strtoull(at, &at, 10);
  const std::uint64_t shared = strtoull(at, &at, 10);
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return resident * page - std::min({resident * page, shared * page, arena_bytes});
}

core::LossCause CauseOf(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ? core::LossCause::kResources : core::LossCause::kItself;
}

core::LossCause CauseOf(const Death& death, const ResourceLimits& limits, bool out_of_memory) {
  if (out_of_memory) return core::LossCause::kResources;
  return Blame(death, limits, false) == core::KilledBy::kOutsider ? core::LossCause::kOutsider
                                                                  : core::LossCause::kItself;
}

absl::Status TooFewDescriptors() {
  return absl::ResourceExhaustedError(
      "few descriptors of the daemon are left, and these are kept for what runs; raise its limit (LimitNOFILE=, ulimit "
      "-n)");
}

}  // namespace poold::process
