#include "process/containment/family.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "wire/unique_fd.h"

namespace poold::process {
namespace {

std::string ReadAll(const std::string& path) {
  wire::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char part[4096];
  for (ssize_t got; file && (got = read(file.get(), part, sizeof part)) > 0;) text.append(part, got);
  return text;
}

// The fields of /proc/<pid>/stat behind the name, which may hold anything: state, then the parent.
bool ReadStat(pid_t pid, char* state, pid_t* parent) {
  const std::string text = ReadAll("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return false;
  *state = text[name_end + 2];
  *parent = static_cast<pid_t>(atol(text.c_str() + name_end + 4));
  return true;
}

std::vector<pid_t> NumbersIn(const char* folder) {
  std::vector<pid_t> numbers;
  DIR* const dir = opendir(folder);
  if (dir == nullptr) return numbers;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') numbers.push_back(atoi(entry->d_name));
  }
  closedir(dir);
  return numbers;
}

// For kernels without the list of children.
std::vector<pid_t> ScanChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  for (const pid_t candidate : NumbersIn("/proc")) {
    if (ParentOf(candidate) == pid) children.push_back(candidate);
  }
  return children;
}

}  // namespace

std::vector<pid_t> ChildrenOf(pid_t pid) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  if (access((tasks + "/" + std::to_string(pid) + "/children").c_str(), R_OK) != 0) return ScanChildrenOf(pid);
  std::vector<pid_t> children;
  for (const pid_t thread : NumbersIn(tasks.c_str())) {
    const std::string text = ReadAll(tasks + "/" + std::to_string(thread) + "/children");
    for (const char* at = text.c_str(); *at != '\0';) {
      char* end = nullptr;
      const long child = strtol(at, &end, 10);
      if (end == at) break;
      children.push_back(static_cast<pid_t>(child));
      at = end;
    }
  }
  return children;
}

pid_t ParentOf(pid_t pid) {
  char state = 0;
  pid_t parent = -1;
  return ReadStat(pid, &state, &parent) ? parent : -1;
}

bool IsAlive(pid_t pid) {
  char state = 0;
  pid_t parent = -1;
  return ReadStat(pid, &state, &parent) && state != 'Z' && state != 'X';
}

Family::Family() {
  for (const pid_t child : ChildrenOf(getpid())) Add(child);
}

bool Family::SweepOrphans(bool kill_them) {
  if (clones_ > 0) return false;
  bool none_alive = true;
  for (const pid_t child : ChildrenOf(getpid())) {
    if (Knows(child)) continue;
    if (waitpid(child, nullptr, WNOHANG | __WALL) == child) continue;
    if (kill_them) kill(child, SIGKILL);
    none_alive = false;
  }
  return none_alive;
}

}  // namespace poold::process
