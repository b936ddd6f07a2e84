// What the daemon, or the zygote that executed us, tells a process through its environment. See worker.proto.
//
// Take removes it from the environment, so that tasks and their children see the pool's environment only, and makes the
// descriptors close-on-exec.
#pragma once

#include <cstdint>
#include <string>

#include "wire/unique_fd.h"

namespace poold::worker {

struct BootstrapEnvironment {
  // "zygote", "worker"; empty: not started by poold.
  std::string role;
  wire::UniqueFd channel;
  // Of a worker: its page, and the read ends of its own stdout and stderr.
  wire::UniqueFd page;
  wire::UniqueFd stdout_read;
  wire::UniqueFd stderr_read;
  // Writing "1" to it kills the whole pool: for a zygote whose daemon is gone.
  wire::UniqueFd cgroup_kill;
  bool pid_namespace = false;
  bool subreaper = false;
  std::uint64_t worker_id = 0;
  // Of a zygote and its clones: the first part of POOLD_WORKER, by which the daemon knows calls of its tasks.
  std::string worker_secret;

  static BootstrapEnvironment Take();
  // For execution of another program: puts a worker's part back.
  void Give() const;
  // POOLD_WORKER, of a clone.
  void TellTasks() const;
};

}  // namespace poold::worker
