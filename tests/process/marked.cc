#include "process/marked.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "process/containment/child_registry.h"
#include "process/stage.h"

namespace poold::process {

std::string Mark() { return "mark-" + std::to_string(getpid()) + "-" + std::to_string(rand()); }

std::vector<pid_t> AliveWith(const std::string& mark) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == getpid()) continue;
    std::ifstream file(entry.path() / "environ");
    const std::string environment((std::istreambuf_iterator<char>(file)), {});
    if (environment.find(mark) != std::string::npos && IsAlive(pid)) found.push_back(pid);
  }
  return found;
}

void WaitForSleeper(const std::string& mark) {
  WaitUntil([&] {
    for (const pid_t pid : AliveWith(mark)) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
      std::string name;
      if (std::getline(file, name, '\0') && name == mark) return true;
    }
    return false;
  });
}

}  // namespace poold::process
