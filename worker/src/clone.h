// CloneSibling: makes a worker: a copy of this process whose parent is the daemon.
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace poold::worker {

// The result of a clone.
struct Clone {
  // 0: this process is the clone.
  pid_t pid = 0;
  // In the clone: what went wrong while it started. The clone reports that on its own channel, and ends.
  absl::Status born;
};

// As fork, with the handlers of pthread_atfork around it. But the child's parent is this process's parent, the child
// sends no signal when it ends (exit_signal 0), and it runs in the cgroup whose folder is `cgroup_fd`, if that is not
// -1. An error: there is no clone; RESOURCE_EXHAUSTED: try again later. REQUIRES: this process has one thread when the
// handlers before a fork have run.
absl::StatusOr<Clone> CloneSibling(int cgroup_fd);

// Makes later clones members of a new PID namespace with an init of its own, which dies with this process.
// RESOURCE_EXHAUSTED: try again later; otherwise the system does not allow it.
absl::Status EnterPidNamespace();

}  // namespace poold::worker
