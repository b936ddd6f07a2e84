#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "base/descriptors.h"
#include "process/containment/child_registry.h"
#include "process/containment/containment.h"

namespace poold::process {
namespace {

// What is known of one namespace: its init, as the daemon sees it.
struct Namespace {
  pid_t init = -1;
};

// "NSpid:  4711  1": its number in the innermost namespace is the last.
bool IsInitOfNamespace(pid_t pid) {
  std::istringstream status(base::ReadSurely("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("NSpid:", 0) != 0) continue;
    const std::size_t last = line.find_last_of(" \t");
    return line.find_first_of("0123456789") < last && line.substr(last + 1) == "1";
  }
  return false;
}

// Also reaps what hostile tasks made the daemon's children.
class WorkerScope final : public ContainmentScope {
 public:
  WorkerScope(std::shared_ptr<Namespace> space, ChildRegistry* children) : space_(std::move(space)), sweep_(children) {}

  bool Empty() override {
    sweep_.Go(false);
    if (space_->init <= 0 || !IsInitOfNamespace(space_->init)) return true;  // it died, and all in it with it
    bool none_alive = true;
    // Living workers are children of the daemon and adopt their own orphans: what is here belonged to a dead one.
    for (const pid_t orphan : ChildrenOf(space_->init)) {
      if (!IsAlive(orphan)) continue;
      kill(orphan, SIGKILL);
      none_alive = false;
    }
    return none_alive;
  }

 private:
  const std::shared_ptr<Namespace> space_;
  OrphanSweep sweep_;
};

class NamespaceScope final : public ContainmentScope {
 public:
  void OnZygoteReady(pid_t zygote) override {
    for (const pid_t child : ChildrenOf(zygote)) {
      if (IsInitOfNamespace(child)) space_->init = child;
    }
  }
  void KillAll() override {
    if (space_->init > 0 && IsInitOfNamespace(space_->init)) kill(space_->init, SIGKILL);
  }
  // Its init dies with it by the kernel's hand, and all others with the init.
  bool Empty() override { return space_->init <= 0 || !IsInitOfNamespace(space_->init) || !IsAlive(space_->init); }

  const std::shared_ptr<Namespace>& space() const { return space_; }

 private:
  const std::shared_ptr<Namespace> space_ = std::make_shared<Namespace>();
};

class PidNamespaceContainment final : public Containment {
 public:
  explicit PidNamespaceContainment(ChildRegistry* children) : children_(children) {}

  ContainmentTier tier() const override { return ContainmentTier::kPidNamespace; }
  absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) override {
    ZygoteScope made;
    made.scope = std::make_unique<NamespaceScope>();
    made.environment = {{"POOLD_PID_NAMESPACE", "1"}, {"POOLD_SUBREAPER", "1"}};
    return made;
  }
  absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                    ContainmentScope& zygote) override {
    return std::unique_ptr<ContainmentScope>(new WorkerScope(static_cast<NamespaceScope&>(zygote).space(), children_));
  }

 private:
  ChildRegistry* const children_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Containment>> MakePidNamespaceContainment(ChildRegistry* children) {
  // Unsharing changes only where this thread's children would be born; it has none.
  int error = 0;
  std::thread([&error] { error = unshare(CLONE_NEWPID) == 0 ? 0 : errno; }).join();
  if (error != 0) {
    return absl::UnavailableError(std::string("no right to make PID namespaces: ") + strerror(error));
  }
  return std::make_unique<PidNamespaceContainment>(children);
}

}  // namespace poold::process
