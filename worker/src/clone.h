// Making a worker: a copy of this process whose parent is the daemon.
#pragma once

#include <sys/types.h>

#include "absl/status/statusor.h"

namespace poold::worker {

// As fork, but the child's parent is ours, it sends no signal when it ends (exit_signal 0), and it is born in the
// cgroup whose folder is `cgroup_fd`, if that is not -1. Returns 0 in the child. REQUIRES: this process has one thread.
absl::StatusOr<pid_t> CloneSibling(int cgroup_fd);

// Makes clones of this process members of a new PID namespace with an init of its own, which dies with us.
absl::Status EnterPidNamespace();

}  // namespace poold::worker
