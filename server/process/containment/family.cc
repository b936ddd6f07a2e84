#include "process/containment/family.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "base/descriptors.h"

namespace poold::process {
namespace {

// The fields of /proc/<pid>/stat behind the name, which may hold anything: state, then the parent.
bool ReadStat(pid_t pid, char* state, pid_t* parent) {
  const std::string text = base::ReadSurely("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return false;
  *state = text[name_end + 2];
  *parent = static_cast<pid_t>(atol(text.c_str() + name_end + 4));
  return true;
}

std::vector<pid_t> NumbersIn(const char* folder) {
  std::vector<pid_t> numbers;
  DIR* const dir = fdopendir(base::OpenSurely(folder, O_RDONLY | O_DIRECTORY).Release());
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
    const std::string text = base::ReadSurely(tasks + "/" + std::to_string(thread) + "/children");
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
  for (const pid_t child : ChildrenOf(getpid())) known_.insert(child);
}

std::optional<Death> Family::Reap(pid_t pid) {
  absl::MutexLock lock(&mu_);
  std::optional<Death> death = process::Reap(pid);
  if (death) known_.erase(pid);
  return death;
}

std::uint64_t Family::BeginBirth() {
  absl::MutexLock lock(&mu_);
  births_.insert(++births_begun_);
  return births_begun_;
}

void Family::EndBirth(std::uint64_t birth) {
  absl::MutexLock lock(&mu_);
  births_.erase(birth);
}

bool Family::Add(pid_t pid) {
  absl::MutexLock lock(&mu_);
  if (pid <= 1 || !IsOurChild(pid) || !known_.insert(pid).second) return false;
  strangers_.erase(pid);
  return true;
}

void Family::ForgetStrangersSince(std::uint64_t birth) {
  absl::MutexLock lock(&mu_);
  if (std::erase_if(strangers_, [&](const auto& stranger) { return stranger.second >= birth; }) > 0) ++strangers_ended_;
}

Family::Look Family::LookForStrangers() {
  Look look;
  {
    absl::MutexLock lock(&mu_);
    look.strangers_ended = strangers_ended_;
  }
  // Without the lock, it takes its time. Where another sweep reaps an orphan meanwhile, the kernel's list may leave out
  // one beside it; that is noticed in Settle. Known children cannot hide one: they are in the lists of the threads that
  // made them, orphans in that of the first thread.
  const std::vector<pid_t> children = ChildrenOf(getpid());
  absl::MutexLock lock(&mu_);
  look.births = births_begun_;
  for (const pid_t child : children) {
    // It may have been known when it was listed, and be gone by now.
    if (!known_.contains(child) && IsOurChild(child)) strangers_.try_emplace(child, look.births);
  }
  return look;
}

Swept Family::Settle(const Look& look, bool kill) {
  absl::MutexLock lock(&mu_);
  bool uncertain = false;
  bool alive = false;
  for (auto it = strangers_.begin(); it != strangers_.end();) {
    const auto [pid, births] = *it;
    const bool seen = births <= look.births;
    if (!births_.empty() && *births_.begin() <= births) {
      uncertain |= seen;
      ++it;
    } else if (process::Reap(pid)) {
      ++strangers_ended_;
      it = strangers_.erase(it);
    } else {
      if (kill) ::kill(pid, SIGKILL);
      alive |= seen;
      ++it;
    }
  }
  if (uncertain) return Swept::kPutOff;
  return alive || strangers_ended_ != look.strangers_ended ? Swept::kSome : Swept::kClean;
}

Birth::Birth(Birth&& other) noexcept : family_(std::exchange(other.family_, nullptr)), number_(other.number_) {}

Birth& Birth::operator=(Birth&& other) noexcept {
  std::swap(family_, other.family_);
  std::swap(number_, other.number_);
  return *this;
}

Birth::~Birth() {
  if (family_ != nullptr) family_->EndBirth(number_);
}

}  // namespace poold::process
