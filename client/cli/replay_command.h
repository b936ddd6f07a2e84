#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/options.h"
#include "poold/v1/payload.pb.h"
#include "poold/v1/pool.pb.h"

// The command that runs one task again: pool-worker --run.
namespace poold::cli {

struct ReplayPlan {
  std::string function;
  v1::Payload arguments;
  v1::PoolSpec spec;
};

// Finds the program and the modules here; the arguments lie in files without a name that the command inherits.
// NotFound names what is not here, where it was looked for, and the option that says where it is.
absl::StatusOr<std::vector<std::string>> ReplayCommand(const ReplayPlan& plan, const ReplayOptions& options);

// On stderr, so that it can be repeated by hand.
void PrintCommand(const std::vector<std::string>& words);

}  // namespace poold::cli
