#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/options.h"
#include "poold/client/payload.h"

namespace poold::cli {

// The items of a map as they travel: from the words of the command line, else from the file or standard input, one a
// line. Errors name the item.
absl::StatusOr<std::vector<client::Payload>> ItemsOf(const MapOptions& options);

}  // namespace poold::cli
