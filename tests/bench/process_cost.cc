#include "process_cost.h"

#include <time.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace poold::bench {
namespace {

std::string FolderOf(pid_t pid) { return absl::StrCat("/proc/", pid); }
std::string FolderOf(pid_t pid, pid_t thread) { return absl::StrCat("/proc/", pid, "/task/", thread); }

// "Pss:   1234 kB" -> 1234
std::uint64_t Field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t number = 0;
  while (file >> word) {
    if (word == name && file >> number) return number;
  }
  return 0;
}

std::string NameOf(pid_t pid, pid_t thread) {
  std::ifstream file(FolderOf(pid, thread) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

double CpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double CpuSeconds(pid_t pid, const std::string& thread_name) {
  double seconds = 0;
  for (const auto& [thread, its] : ThreadSeconds(pid)) seconds += NameOf(pid, thread) == thread_name ? its : 0;
  return seconds;
}

std::map<pid_t, double> ThreadSeconds(pid_t pid) {
  std::map<pid_t, double> seconds;
  for (const pid_t thread : Threads(pid)) {
    std::ifstream file(FolderOf(pid, thread) + "/schedstat");
    if (std::uint64_t nanos = 0; file >> nanos) seconds[thread] = static_cast<double>(nanos) / 1e9;
  }
  return seconds;
}

std::uint64_t Wakes(pid_t pid) {
  std::uint64_t wakes = 0;
  for (const pid_t thread : Threads(pid)) wakes += Field(FolderOf(pid, thread) + "/status", "voluntary_ctxt_switches:");
  return wakes;
}

std::uint64_t RssBytes(pid_t pid) { return 1024 * Field(FolderOf(pid) + "/smaps_rollup", "Rss:"); }
std::uint64_t PssBytes(pid_t pid) { return 1024 * Field(FolderOf(pid) + "/smaps_rollup", "Pss:"); }

std::vector<pid_t> Threads(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(FolderOf(pid) + "/task", gone)) {
    threads.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return threads;
}

std::vector<pid_t> Descendants(pid_t pid) {
  std::vector<pid_t> found;
  for (const pid_t thread : Threads(pid)) {
    std::ifstream children(FolderOf(pid, thread) + "/children");
    for (pid_t child; children >> child;) {
      found.push_back(child);
      const std::vector<pid_t> below = Descendants(child);
      found.insert(found.end(), below.begin(), below.end());
    }
  }
  return found;
}

}  // namespace poold::bench
