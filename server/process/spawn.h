// Spawn: starts a program as a child of the calling thread, with exactly the descriptors and the environment that it is
// to have.
//
// Threads: Spawn is for the process thread, because a child dies with the thread that made it (PDEATHSIG); the others
// are pure. Errors: a Status that names the program and what failed; RESOURCE_EXHAUSTED where the machine is short of
// something.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace poold::process {

struct SpawnOptions {
  // An absolute path.
  std::string program;
  // Without argv[0].
  std::vector<std::string> arguments;
  // All of it: nothing is inherited.
  std::map<std::string, std::string> environment;
  std::string working_directory = "/";
  // descriptors[n] becomes the child's descriptor n; it has no others. -1: /dev/null.
  std::vector<int> descriptors;
};

// Starts the program with posix_spawn. The child has its own session, no blocked signals, and default handlers.
absl::StatusOr<pid_t> Spawn(const SpawnOptions& options);

// The variables of the daemon's environment that its children get: programs, user, language, time zone.
std::map<std::string, std::string> BaseEnvironment();

// Adds the variables that numeric libraries (BLAS, OpenMP) read to a pool's environment, so that all workers together
// have as many threads as there are CPUs, and each worker at least one. Without these variables each worker would start
// a thread for each CPU. Variables that the environment has stay; where it sets OMP_NUM_THREADS nothing is added, since
// the others fall back on that.
void DivideComputeThreads(std::uint32_t cpus, std::uint32_t workers, std::map<std::string, std::string>* environment);

}  // namespace poold::process
