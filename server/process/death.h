// How a child ended: reaping, and what is known about it afterwards.
//
// Threads: the process thread whose child it is. Reap is for ChildRegistry alone, which knows whose they are.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/types.h"
#include "process/resource_limits.h"
#include "wire/unique_fd.h"

namespace poold::process {

// As wait4 tells it.
struct Death {
  int signal = 0;     // 0: it exited
  int exit_code = 0;  // when it exited
  std::uint64_t peak_rss_bytes = 0;
  core::Nanos cpu_time = 0;
};

// Readable when the process has ended. Fails (no descriptor, no such child) with errno.
wire::UniqueFd OpenPidFd(pid_t pid);
// Only to a process that is not reaped yet, so never to an orphan.
void SendSignal(const wire::UniqueFd& pidfd, int signal);
// Alive or not reaped yet.
bool IsOurChild(pid_t pid);
// Nothing while it lives. Of one that is no child of ours any more nothing is known but that it is gone.
std::optional<Death> Reap(pid_t pid);

// "exited with code 3", "was killed by SIGSEGV".
std::string Describe(const Death& death);
// The party behind a death that the daemon did not bring about, of a process with these limits.
core::KilledBy Blame(const Death& death, const ResourceLimits& limits, bool out_of_memory);

// Resident memory of a living process, in bytes; 0 if there is none. Up to `arena_bytes` of what it shares with others
// are not its own: arenas of payloads.
std::uint64_t ReadResidentBytes(pid_t pid, std::uint64_t arena_bytes);

// The cause for which a process did not start: the process itself, a shortage of the machine, or an outsider.
//
// Pure functions; any thread.

// Of what the daemon could not make: RESOURCE_EXHAUSTED is a shortage.
core::LossCause CauseOf(const absl::Status& status);
// Of a process that the daemon did not end, with these limits.
core::LossCause CauseOf(const Death& death, const ResourceLimits& limits, bool out_of_memory);

// The error where the descriptors that are left are reserved for what exists.
absl::Status TooFewDescriptors();

}  // namespace poold::process
