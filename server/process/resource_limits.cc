#include "process/resource_limits.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace poold::process {
namespace {

struct Known {
  __rlimit_resource resource;
  const char* name;
};

Known Find(core::ResourceKind kind) {
  switch (kind) {
    case core::ResourceKind::kAddressSpaceBytes:
      return {RLIMIT_AS, "bytes of address space"};
    case core::ResourceKind::kCpuSeconds:
      return {RLIMIT_CPU, "seconds of processor time"};
    case core::ResourceKind::kFileSizeBytes:
      return {RLIMIT_FSIZE, "bytes of a file"};
    case core::ResourceKind::kOpenFiles:
      return {RLIMIT_NOFILE, "open files"};
    case core::ResourceKind::kProcesses:
      return {RLIMIT_NPROC, "processes"};
    case core::ResourceKind::kCoreBytes:
      return {RLIMIT_CORE, "bytes of a core dump"};
    case core::ResourceKind::kStackBytes:
      return {RLIMIT_STACK, "bytes of stack"};
  }
  return {RLIMIT_CORE, nullptr};
}

absl::Status LimitOne(pid_t pid, core::ResourceKind kind, std::uint64_t value) {
  const Known known = Find(kind);
  if (known.name == nullptr) {
    return absl::InvalidArgumentError("resource limit of unknown kind " + std::to_string(static_cast<int>(kind)));
  }
  const std::string what = "cannot be limited to " + std::to_string(value) + " " + known.name;
  rlimit now{};
  if (prlimit(pid, known.resource, nullptr, &now) != 0) {
    if (errno == ESRCH) return absl::OkStatus();
    return absl::PermissionDeniedError(what + ": " + strerror(errno));
  }
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) {
    return absl::PermissionDeniedError(what + ": the daemon's own limit is " + std::to_string(now.rlim_max));
  }
  rlimit wanted{value, value};
  // At the hard limit of processor time the kernel sends SIGKILL; SIGXCPU says what happened, so it comes before.
  if (kind == core::ResourceKind::kCpuSeconds) wanted.rlim_max = std::min<rlim_t>(value + 1, now.rlim_max);
  if (prlimit(pid, known.resource, &wanted, nullptr) != 0 && errno != ESRCH) {
    return absl::PermissionDeniedError(what + ": " + strerror(errno));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LimitResources(pid_t pid, const ResourceLimits& limits) {
  for (const auto& [kind, value] : limits) {
    if (absl::Status limited = LimitOne(pid, kind, value); !limited.ok()) return limited;
  }
  return absl::OkStatus();
}

}  // namespace poold::process
