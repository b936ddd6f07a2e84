#include "process_cost.h"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace poold::bench {
namespace {

std::string FolderOf(pid_t pid) { return absl::StrCat("/proc/", pid); }

std::vector<std::string> TasksOf(pid_t pid) {
  std::vector<std::string> folders;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(FolderOf(pid) + "/task", gone)) {
    folders.push_back(entry.path());
  }
  return folders;
}

// "Pss:   1234 kB"
std::uint64_t FieldBytes(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t kilobytes = 0;
  while (file >> word) {
    if (word == name && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

double CpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t RssBytes(pid_t pid) { return FieldBytes(FolderOf(pid) + "/smaps_rollup", "Rss:"); }
std::uint64_t PssBytes(pid_t pid) { return FieldBytes(FolderOf(pid) + "/smaps_rollup", "Pss:"); }
std::uint32_t ThreadCount(pid_t pid) { return static_cast<std::uint32_t>(TasksOf(pid).size()); }

std::vector<pid_t> Descendants(pid_t pid) {
  std::vector<pid_t> found;
  for (const std::string& folder : TasksOf(pid)) {
    std::ifstream children(folder + "/children");
    for (pid_t child; children >> child;) {
      found.push_back(child);
      const std::vector<pid_t> below = Descendants(child);
      found.insert(found.end(), below.begin(), below.end());
    }
  }
  return found;
}

}  // namespace poold::bench
