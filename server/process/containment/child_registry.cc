#include "process/containment/child_registry.h"

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

ChildRegistry::ChildRegistry() {
  for (const pid_t child : ChildrenOf(getpid())) known_.insert(child);
}

std::optional<Death> ChildRegistry::Reap(pid_t pid) {
  absl::MutexLock lock(&mu_);
  std::optional<Death> death = process::Reap(pid);
  if (death) known_.erase(pid);
  return death;
}

std::uint64_t ChildRegistry::BeginPending() {
  absl::MutexLock lock(&mu_);
  pending_.insert(++pending_begun_);
  return pending_begun_;
}

void ChildRegistry::EndPending(std::uint64_t pending_child) {
  absl::MutexLock lock(&mu_);
  pending_.erase(pending_child);
}

bool ChildRegistry::Add(pid_t pid) {
  absl::MutexLock lock(&mu_);
  if (pid <= 1 || !IsOurChild(pid) || !known_.insert(pid).second) return false;
  orphans_.erase(pid);
  return true;
}

void ChildRegistry::ForgetOrphansSince(std::uint64_t pending_child) {
  absl::MutexLock lock(&mu_);
  if (std::erase_if(orphans_, [&](const auto& orphan) { return orphan.second >= pending_child; }) > 0) ++orphans_ended_;
}

ChildRegistry::Look ChildRegistry::FindOrphans() {
  Look look;
  {
    absl::MutexLock lock(&mu_);
    look.orphans_ended = orphans_ended_;
  }
  // Without the lock, it takes its time. Where another sweep reaps an orphan meanwhile, the kernel's list may leave out
  // one beside it; that is noticed in Sweep. Known children cannot hide one: they are in the lists of the threads that
  // made them, orphans in that of the first thread.
  const std::vector<pid_t> children = ChildrenOf(getpid());
  absl::MutexLock lock(&mu_);
  look.pending = pending_begun_;
  for (const pid_t child : children) {
    // It may have been known when it was listed, and be gone by now.
    if (!known_.contains(child) && IsOurChild(child)) orphans_.try_emplace(child, look.pending);
  }
  return look;
}

Swept ChildRegistry::Sweep(const Look& look, bool kill) {
  absl::MutexLock lock(&mu_);
  bool uncertain = false;
  bool alive = false;
  for (auto it = orphans_.begin(); it != orphans_.end();) {
    const auto [pid, pending] = *it;
    const bool seen = pending <= look.pending;
    if (!pending_.empty() && *pending_.begin() <= pending) {
      uncertain |= seen;
      ++it;
    } else if (process::Reap(pid)) {
      ++orphans_ended_;
      it = orphans_.erase(it);
    } else {
      if (kill) ::kill(pid, SIGKILL);
      alive |= seen;
      ++it;
    }
  }
  if (uncertain) return Swept::kPutOff;
  return alive || orphans_ended_ != look.orphans_ended ? Swept::kSome : Swept::kClean;
}

PendingChild::PendingChild(PendingChild&& other) noexcept
    : children_(std::exchange(other.children_, nullptr)), number_(other.number_) {}

PendingChild& PendingChild::operator=(PendingChild&& other) noexcept {
  std::swap(children_, other.children_);
  std::swap(number_, other.number_);
  return *this;
}

PendingChild::~PendingChild() {
  if (children_ != nullptr) children_->EndPending(number_);
}

Swept OrphanSweep::Go(bool kill) {
  if (!looked_) look_ = children_->FindOrphans();
  const Swept swept = children_->Sweep(look_, kill);
  // What an orphan leaves comes to us when it dies: then another look is due.
  looked_ = swept == Swept::kPutOff;
  return swept;
}

}  // namespace poold::process
