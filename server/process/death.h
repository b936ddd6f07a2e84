// Death: the end of a child, its reaping, and its cause.
//
// Threads: the process thread whose child it is; the functions that take a Death are pure. Only ChildRegistry calls
// Reap, because the
//   registry knows which children are ours.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/types.h"
#include "process/resource_limits.h"
#include "wire/unique_fd.h"

namespace poold::process {

// The result of wait4.
struct Death {
  // The signal that ended the process; 0: the process exited.
  int signal = 0;
  // The exit status of a process that exited.
  int exit_code = 0;
  std::uint64_t peak_rss_bytes = 0;
  // User and system time in ns.
  core::Nanos cpu_time = 0;
};

// A descriptor that is readable when the process has ended. None, and errno: no descriptor is left, or there is no such
// child.
wire::UniqueFd OpenPidFd(pid_t pid);
// Sends a signal to a process that is not reaped yet. Never for an orphan.
void SendSignal(const wire::UniqueFd& pidfd, int signal);
// Whether the process is a child of the daemon, alive or not reaped yet.
bool IsOurChild(pid_t pid);
// Reaps the process. Nothing: it lives. Of a process that is no child of ours the result only says that it is gone.
std::optional<Death> Reap(pid_t pid);

// "exited with code 3", "was killed by SIGSEGV".
std::string Describe(const Death& death);
// The party behind a death that the daemon did not bring about, of a process with these limits.
core::KilledBy Blame(const Death& death, const ResourceLimits& limits, bool out_of_memory);

// The resident memory of a living process in bytes; 0: there is no such process. Up to `arena_bytes` of shared memory
// do not count, because arenas of payloads are not the process's own.
std::uint64_t ReadResidentBytes(pid_t pid, std::uint64_t arena_bytes);

// The cause for which a process did not start. The first: of an error of the daemon's own, where RESOURCE_EXHAUSTED is
// a shortage of the machine. The second: of a death that the daemon did not bring about, of a process with these
// limits.
core::LossCause CauseOf(const absl::Status& status);
core::LossCause CauseOf(const Death& death, const ResourceLimits& limits, bool out_of_memory);

// The error where the descriptors that are left are reserved for what exists.
absl::Status TooFewDescriptors();

}  // namespace poold::process
