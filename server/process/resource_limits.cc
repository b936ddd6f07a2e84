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

// `now`: what the process has.
absl::StatusOr<KernelLimit> ToKernel(core::ResourceKind kind, std::uint64_t value, const rlimit& now) {
  const Known known = Find(kind);
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) {
    return absl::PermissionDeniedError("cannot be limited to " + std::to_string(value) + " " + known.name +
                                       ": the daemon's own limit is " + std::to_string(now.rlim_max));
  }
  KernelLimit limit{.resource = static_cast<int>(known.resource), .soft = value, .hard = value};
  // At the hard limit of processor time the kernel sends SIGKILL; SIGXCPU says what happened, so it comes before.
  if (kind == core::ResourceKind::kCpuSeconds) limit.hard = std::min<rlim_t>(value + 1, now.rlim_max);
  return limit;
}

absl::Status Refused(core::ResourceKind kind, std::uint64_t value) {
  return absl::PermissionDeniedError("cannot be limited to " + std::to_string(value) + " " + Find(kind).name + ": " +
                                     strerror(errno));
}

// What `pid` (0: this process) has.
absl::StatusOr<rlimit> Present(pid_t pid, core::ResourceKind kind, std::uint64_t value) {
  const Known known = Find(kind);
  if (known.name == nullptr) {
    return absl::InvalidArgumentError("resource limit of unknown kind " + std::to_string(static_cast<int>(kind)));
  }
  rlimit now{};
  if (prlimit(pid, known.resource, nullptr, &now) != 0) {
    if (errno == ESRCH) return absl::NotFoundError("it is dead");
    return Refused(kind, value);
  }
  return now;
}

absl::Status LimitOne(pid_t pid, core::ResourceKind kind, std::uint64_t value) {
  const auto now = Present(pid, kind, value);
  if (!now.ok()) return absl::IsNotFound(now.status()) ? absl::OkStatus() : now.status();
  const auto limit = ToKernel(kind, value, *now);
  if (!limit.ok()) return limit.status();
  const rlimit wanted{limit->soft, limit->hard};
  if (prlimit(pid, static_cast<__rlimit_resource>(limit->resource), &wanted, nullptr) != 0 && errno != ESRCH) {
    return Refused(kind, value);
  }
  return absl::OkStatus();
}

std::uint64_t SoftLimit(__rlimit_resource resource) {
  rlimit now{};
  return getrlimit(resource, &now) == 0 ? now.rlim_cur : 0;
}

void LiftOne(pid_t pid, __rlimit_resource resource, std::uint64_t inherited) {
  rlimit ours{}, its{};
  if (getrlimit(resource, &ours) != 0 || prlimit(pid, resource, nullptr, &its) != 0) return;
  if (its.rlim_cur != inherited || ours.rlim_cur <= inherited) return;
  its.rlim_cur = ours.rlim_cur;
  its.rlim_max = std::max(its.rlim_max, ours.rlim_cur);
  prlimit(pid, resource, &its, nullptr);
}

}  // namespace

absl::StatusOr<std::vector<KernelLimit>> ToKernel(const ResourceLimits& limits) {
  std::vector<KernelLimit> made;
  for (const auto& [kind, value] : limits) {
    const auto now = Present(0, kind, value);
    if (!now.ok()) return now.status();
    const auto limit = ToKernel(kind, value, *now);
    if (!limit.ok()) return limit.status();
    made.push_back(*limit);
  }
  return made;
}

absl::Status LimitResources(pid_t pid, const ResourceLimits& limits) {
  for (const auto& [kind, value] : limits) {
    if (absl::Status limited = LimitOne(pid, kind, value); !limited.ok()) return limited;
  }
  return absl::OkStatus();
}

InheritedLimits InheritedLimits::Look() {
  InheritedLimits limits;
  limits.descriptors_ = SoftLimit(RLIMIT_NOFILE);
  limits.processes_ = SoftLimit(RLIMIT_NPROC);
  return limits;
}

void InheritedLimits::Lift(pid_t pid) const {
  if (pid <= 0) return;
  LiftOne(pid, RLIMIT_NOFILE, descriptors_);
  LiftOne(pid, RLIMIT_NPROC, processes_);
}

}  // namespace poold::process
