#include "process/containment/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <utility>
#include <vector>

#include "base/descriptors.h"

namespace poold::process {
namespace {

constexpr char kFolderPrefix[] = "poold-";

bool WriteText(const std::string& path, const std::string& text) {
  const wire::UniqueFd file = base::OpenSurely(path, O_WRONLY);
  return file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

absl::Status Refused(const std::string& what, const std::string& path) {
  const auto code = base::IsShortage(errno) ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable;
  return absl::Status(code, what + " " + path + ": " + strerror(errno));
}

std::vector<std::string> FoldersIn(const std::string& path) {
  std::vector<std::string> names;
  DIR* const dir = fdopendir(base::OpenSurely(path, O_RDONLY | O_DIRECTORY).Release());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.push_back(path + "/" + entry->d_name);
  }
  closedir(dir);
  return names;
}

// Bottom up. False while something lives in it.
bool RemoveTree(const std::string& path) {
  if (rmdir(path.c_str()) == 0 || errno == ENOENT) return true;
  for (const std::string& folder : FoldersIn(path)) RemoveTree(folder);
  return rmdir(path.c_str()) == 0 || errno == ENOENT;
}

// mountinfo writes blanks and backslashes as octal.
std::string Unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

// A folder of a dead daemon: its name ends in the pid that made it.
void RemoveLeftovers(const std::string& parent) {
  for (const std::string& folder : FoldersIn(parent)) {
    const std::string name = folder.substr(parent.size() + 1);
    if (name.rfind(kFolderPrefix, 0) != 0) continue;
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos || atoi(name.c_str() + dot + 1) <= 0) continue;
    if (IsAlive(static_cast<pid_t>(atoi(name.c_str() + dot + 1)))) continue;
    WriteText(folder + "/cgroup.kill", "1");
    RemoveTree(folder);
  }
}

}  // namespace

// A folder of the hierarchy, removed when its last owner goes.
class CgroupFolder {
 public:
  static absl::StatusOr<std::shared_ptr<CgroupFolder>> Make(std::string path, std::shared_ptr<CgroupFolder> parent) {
    if (mkdir(path.c_str(), 0755) != 0) return Refused("cannot make the cgroup", path);
    return std::make_shared<CgroupFolder>(std::move(path), std::move(parent));
  }
  CgroupFolder(std::string path, std::shared_ptr<CgroupFolder> parent)
      : path_(std::move(path)), parent_(std::move(parent)) {}
  ~CgroupFolder() { RemoveTree(path_); }

  const std::string& path() const { return path_; }
  std::string file(const char* name) const { return path_ + "/" + name; }
  void Kill() { WriteText(file("cgroup.kill"), "1"); }

 private:
  const std::string path_;
  const std::shared_ptr<CgroupFolder> parent_;
};

namespace {

class CgroupScope final : public ContainmentScope {
 public:
  static absl::StatusOr<std::unique_ptr<ContainmentScope>> Make(const std::string& path,
                                                                std::shared_ptr<CgroupFolder> parent) {
    auto folder = CgroupFolder::Make(path, std::move(parent));
    if (!folder.ok()) return folder.status();
    wire::UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return Refused("cannot open the cgroup", path);
    return std::unique_ptr<ContainmentScope>(new CgroupScope(std::move(*folder), std::move(fd)));
  }

  int fd() const override { return fd_.get(); }

  absl::Status Admit(pid_t pid) override {
    if (WriteText(folder_->file("cgroup.procs"), std::to_string(pid))) return absl::OkStatus();
    return Refused("cannot move a process into the cgroup", folder_->path());
  }

  void KillAll() override { folder_->Kill(); }

  bool OutOfMemory() override { return TellsOfOutOfMemory(base::ReadSurely(folder_->file("memory.events"))); }

  bool Empty() override {
    // Mostly there is nothing any more, and this is one call.
    if (rmdir(folder_->path().c_str()) == 0 || errno == ENOENT) return true;
    folder_->Kill();
    return RemoveTree(folder_->path());
  }

 private:
  CgroupScope(std::shared_ptr<CgroupFolder> folder, wire::UniqueFd fd)
      : folder_(std::move(folder)), fd_(std::move(fd)) {}

  const std::shared_ptr<CgroupFolder> folder_;
  const wire::UniqueFd fd_;
};

}  // namespace

bool TellsOfOutOfMemory(const std::string& memory_events) {
  std::istringstream lines(memory_events);
  std::string name;
  for (std::uint64_t count = 0; lines >> name >> count;) {
    if (name == "oom_kill") return count > 0;
  }
  return false;
}

std::string FindOwnCgroup(const std::string& mountinfo, const std::string& cgroup) {
  std::string own;
  std::istringstream groups(cgroup);
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) == 0) own = line.substr(3);
  }
  if (own.empty()) return "";
  std::istringstream mounts(mountinfo);
  for (std::string line; std::getline(mounts, line);) {
    // "31 23 0:28 <root> <mount point> <options> ... - <type> <source> <options>"
    std::istringstream words(line);
    std::string id, parent, device, root, point;
    words >> id >> parent >> device >> root >> point;
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos || line.compare(separator + 3, 8, "cgroup2 ") != 0) continue;
    root = Unescape(root);
    if (root == "/") root.clear();
    if (own.compare(0, root.size(), root) != 0) continue;
    std::string below = own.substr(root.size());
    if (below == "/") below.clear();
    return Unescape(point) + below;
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Containment>> CgroupContainment::Make(const std::string& instance) {
  const std::string own =
      FindOwnCgroup(base::ReadSurely("/proc/self/mountinfo"), base::ReadSurely("/proc/self/cgroup"));
  if (own.empty()) return absl::UnavailableError("no cgroup2 hierarchy is mounted");
  if (access((own + "/cgroup.procs").c_str(), W_OK) != 0) {
    return Refused("no right to place processes in the daemon's cgroup", own);
  }
  RemoveLeftovers(own);
  auto folder = CgroupFolder::Make(own + "/" + kFolderPrefix + instance + "." + std::to_string(getpid()), nullptr);
  if (!folder.ok()) return folder.status();
  if (access((*folder)->file("cgroup.kill").c_str(), W_OK) != 0) {
    return absl::UnavailableError("this kernel's cgroups have no cgroup.kill (it came with Linux 5.14)");
  }
  return std::unique_ptr<Containment>(new CgroupContainment(std::move(*folder)));
}

absl::StatusOr<std::shared_ptr<CgroupFolder>> CgroupContainment::PoolFolder(core::PoolId pool) {
  {
    absl::MutexLock lock(&mu_);
    const auto found = pools_.find(pool);
    if (found != pools_.end()) {
      if (auto folder = found->second.lock()) return folder;
    }
  }
  // Nobody else makes this pool's, and others need not wait for it.
  auto folder = CgroupFolder::Make(own_->path() + "/pool-" + std::to_string(static_cast<std::uint32_t>(pool)), own_);
  if (!folder.ok()) return folder;
  absl::MutexLock lock(&mu_);
  std::erase_if(pools_, [](const auto& entry) { return entry.second.expired(); });
  pools_[pool] = *folder;
  return folder;
}

absl::StatusOr<ZygoteScope> CgroupContainment::MakeZygoteScope(core::PoolId pool, std::uint32_t generation) {
  auto folder = PoolFolder(pool);
  if (!folder.ok()) return folder.status();
  ZygoteScope made;
  const std::string name = "/zygote-" + std::to_string(generation) + "-" + std::to_string(++zygotes_);
  auto scope = CgroupScope::Make((*folder)->path() + name, *folder);
  if (!scope.ok()) return scope.status();
  made.scope = std::move(*scope);
  made.kill_all.Reset(open((*folder)->file("cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  if (!made.kill_all) return Refused("cannot open", (*folder)->file("cgroup.kill"));
  return made;
}

absl::StatusOr<std::unique_ptr<ContainmentScope>> CgroupContainment::MakeWorkerScope(core::PoolId pool,
                                                                                     core::WorkerId worker,
                                                                                     ContainmentScope& zygote) {
  auto folder = PoolFolder(pool);
  if (!folder.ok()) return folder.status();
  const std::string name = "/worker-" + std::to_string(static_cast<std::uint64_t>(worker));
  return CgroupScope::Make((*folder)->path() + name, *folder);
}

}  // namespace poold::process
