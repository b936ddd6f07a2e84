// A module of which there are two, to be exchanged on disk under a pool that reloads.
#include <unistd.h>

#include <cstdint>

#include "poold/worker.h"

namespace {

std::int64_t prepared_by = 0;

POOLD_TASK("prepare", [] { prepared_by = VERSION; });
POOLD_TASK("version", [] { return std::int64_t{VERSION}; });
POOLD_TASK("prepared_by", [] { return prepared_by; });
POOLD_TASK("wait_for", [](const std::string& path) {
  while (access(path.c_str(), F_OK) != 0) usleep(1000);
  return std::int64_t{VERSION};
});

}  // namespace
