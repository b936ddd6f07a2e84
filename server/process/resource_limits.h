// The limits that a pool sets for its workers, in the kernel's terms.
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
  int resource = 0;  // RLIMIT_...
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

using ResourceLimits = std::map<core::ResourceKind, std::uint64_t>;

// For children of this process. Nothing is raised above what it has itself: the error names the limit and what is in
// its way.
absl::StatusOr<std::vector<KernelLimit>> ToKernel(const ResourceLimits& limits);

// Of `pid`, a child that is not reaped. Nothing is raised above what it has. The error names the limit and what is in
// its way. No error: it is dead already.
absl::Status LimitResources(pid_t pid, const ResourceLimits& limits);

// The daemon's limits of descriptors and processes as a zygote inherited them. A zygote that was started while these
// limits were low would keep them so.
class InheritedLimits {
 public:
  // The daemon's, now.
  static InheritedLimits Look();
  // Gives `pid`, which inherited them, what the daemon has now where that is more. What it changed for itself stays.
  void Lift(pid_t pid) const;

 private:
  std::uint64_t descriptors_ = 0;
  std::uint64_t processes_ = 0;
};

}  // namespace poold::process
