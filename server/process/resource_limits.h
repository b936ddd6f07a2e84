// ResourceLimits: the limits that a pool sets for its workers, in the kernel's terms.
//
// Role: converts and sets limits. Clones set them for themselves before they run anything; clones of a zygote that does
// not know how are limited from outside. Threads: any. Units: bytes, seconds and counts, as core::ResourceKind says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/types.h"

namespace poold::process {

// One limit as setrlimit(2) takes it.
struct KernelLimit {
  // A number RLIMIT_...
  int resource = 0;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

using ResourceLimits = std::map<core::ResourceKind, std::uint64_t>;

// Converts limits for children of this process. INVALID_ARGUMENT: a limit is above this process's own; the message
// names it and what is in its way.
absl::StatusOr<std::vector<KernelLimit>> ToKernel(const ResourceLimits& limits);

// Sets the limits of `pid`, a child that is not reaped. Raises none above what the child has: the error names the limit
// and what is in its way. OK also for a child that is dead already.
absl::Status LimitResources(pid_t pid, const ResourceLimits& limits);

// The daemon's limits of descriptors and processes as a zygote inherited them. A zygote that was started while these
// limits were low would keep them so.
class InheritedLimits {
 public:
  // The daemon's limits now.
  static InheritedLimits Look();
  // Raises the limits of `pid`, which inherited these, to the daemon's present ones. Limits that the process changed
  // itself stay.
  void Lift(pid_t pid) const;

 private:
  std::uint64_t descriptors_ = 0;
  std::uint64_t processes_ = 0;
};

}  // namespace poold::process
