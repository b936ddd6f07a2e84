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

std::string UnixPathOf(std::string_view target) {
  constexpr std::string_view kUnix = "unix:";
  if (!target.starts_with(kUnix)) return "";
  target.remove_prefix(kUnix.size());
  if (target.starts_with("//")) target.remove_prefix(2);
  return std::string(target);
}

}  // namespace poold::wire
