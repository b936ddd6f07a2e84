// Making a worker: a copy of this process whose parent is the daemon.
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace poold::worker {

struct Clone {
  // 0: we are the clone.
  pid_t pid = 0;
  // In the clone: what of its birth went wrong. It then says so on its own channel, and ends.
  absl::Status born;
};

// As fork, with the handlers of pthread_atfork around it, but the child's parent is ours, it sends no signal when it
// ends (exit_signal 0), and it lives in the cgroup whose folder is `cgroup_fd`, if that is not -1. An error: there is
// no clone. REQUIRES: this process has one thread when the handlers before a fork have run.
absl::StatusOr<Clone> CloneSibling(int cgroup_fd);

// Makes clones of this process members of a new PID namespace with an init of its own, which dies with us.
absl::Status EnterPidNamespace();

}  // namespace poold::worker
