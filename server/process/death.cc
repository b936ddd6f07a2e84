#include "process/death.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace poold::process {
namespace {

core::Nanos ToNanos(const timeval& time) { return time.tv_sec * core::kSecond + time.tv_usec * core::Nanos{1000}; }

}  // namespace

wire::UniqueFd OpenPidFd(pid_t pid) { return wire::UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

void SendSignal(const wire::UniqueFd& pidfd, int signal) {
  if (pidfd) syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

std::optional<Death> Reap(pid_t pid) {
  int status = 0;
  rusage usage{};
  pid_t reaped;
  do {
    // Children of clone with another exit signal than SIGCHLD need __WALL.
    reaped = wait4(pid, &status, WNOHANG | __WALL, &usage);
  } while (reaped < 0 && errno == EINTR);
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

core::KilledBy Blame(const Death& death) {
  switch (death.signal) {
    case SIGKILL:
    case SIGTERM:
    case SIGINT:
    case SIGHUP:
    case SIGQUIT:
      return core::KilledBy::kOutsider;
    default:
      return core::KilledBy::kItself;
  }
}

}  // namespace poold::process
