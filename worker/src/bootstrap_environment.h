// BootstrapEnvironment: the values that the daemon, or the zygote that executed this process, hands over through the
// environment. See worker.proto.
#pragma once

#include <cstdint>
#include <string>

#include "wire/unique_fd.h"

namespace poold::worker {

// Owns the descriptors. Move-only.
struct BootstrapEnvironment {
  // "zygote" or "worker"; empty: poold has not started this process.
  std::string role;
  // The socket to the daemon; none: poold has not started this process.
  wire::UniqueFd channel;
  // A worker's page, and the read ends of its own stdout and stderr.
  wire::UniqueFd page;
  wire::UniqueFd stdout_read;
  wire::UniqueFd stderr_read;
  // Writing "1" kills the whole pool, for a zygote whose daemon is gone. None: the pool has no cgroup.
  wire::UniqueFd cgroup_kill;
  // The zygote makes a PID namespace for its clones; subreaper: a worker adopts orphans of its tasks.
  bool pid_namespace = false;
  bool subreaper = false;
  std::uint64_t worker_id = 0;
  // The first part of POOLD_WORKER, by which the daemon recognises calls of its tasks. Of a zygote and its clones.
  std::string worker_secret;

  // Takes the values out of the environment, so that tasks and their children see the pool's environment only, and
  // makes the descriptors close-on-exec. Call once, first in main.
  static BootstrapEnvironment Take();
  // Puts a worker's values back into the environment, for the execution of another program.
  void Give() const;
  // Sets POOLD_WORKER for the tasks of a clone.
  void TellTasks() const;
};

}  // namespace poold::worker
