// The command that runs one task again: pool-worker --run.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/grammar/options.h"
#include "poold/v1/payload.pb.h"
#include "poold/v1/pool.pb.h"

namespace poold::cli {

// The task, and the pool that it ran in.
struct ReplayPlan {
  std::string function;
  v1::Payload arguments;
  v1::PoolSpec spec;
};

// Finds the program and the modules on this machine. The arguments lie in files without a name, which the command
// inherits. NOT_FOUND names the missing file, the places where it was looked for, and the option that names it.
absl::StatusOr<std::vector<std::string>> ReplayCommand(const ReplayPlan& plan, const ReplayOptions& options);

// Prints the command on stderr, so that people can repeat it.
void PrintCommand(const std::vector<std::string>& words);

}  // namespace poold::cli
