#include "wire/default_address.h"

#include <unistd.h>

#include <cstdlib>

namespace poold::wire {
namespace {

// An empty variable is as good as none.
const char* Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

std::string DefaultSocketPath() {
  if (geteuid() == 0) return "/run/poold/poold.sock";
  if (const char* runtime = Environment("XDG_RUNTIME_DIR")) return std::string(runtime) + "/poold/poold.sock";
  const char* temporary = Environment("TMPDIR");
  return std::string(temporary != nullptr ? temporary : "/tmp") + "/poold-" + std::to_string(geteuid()) + "/poold.sock";
}

std::string DefaultAddress() { return "unix:" + DefaultSocketPath(); }

}  // namespace poold::wire
