// Containment: keeps a process and everything that it ever starts together, so that all of it can be killed and none of
// it missed.
//
// Three tiers, the best first:
// - cgroup: a cgroup (v2) for every worker. No process leaves it; cgroup.kill ends all at once. After kill -9 of the
// daemon the
//   zygote, which sees the end of its channel, kills the pool's folder.
// - PID namespace: one for every pool. Processes that a dead worker leaves become children of the namespace's init and
// are killed
//   there. When the zygote or the daemon dies, the kernel kills the whole namespace.
// - subreaper: workers and daemon adopt orphans; an orphan that comes to the daemon is killed at once. After kill -9 of
// the daemon,
//   processes that left their session survive.
// In all tiers a process that a task leaves running lives at most until its worker ends.
//
// Threads: a Containment is thread-safe, for the process threads of several dispatchers; a ContainmentScope belongs to
// the thread that
//   made it. Numbers of pools and workers are unique across dispatchers. Choose the tier before there is any process.
// Errors: a Status that says why this machine has no such means.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/types.h"
#include "process/containment/child_registry.h"
#include "wire/unique_fd.h"

namespace poold::process {

// The values of poold.v1.Containment.
enum class ContainmentTier : std::uint8_t { kCgroup = 1, kPidNamespace = 2, kSubreaper = 3 };
enum class ContainmentChoice : std::uint8_t { kAuto = 0, kCgroup = 1, kPidNamespace = 2, kSubreaper = 3 };

std::string_view ContainmentName(ContainmentTier tier);

// The tier that was chosen, and the reasons against better ones.
struct ContainmentReport {
  ContainmentTier tier = ContainmentTier::kSubreaper;
  std::string note;
};

// The scope of one zygote or worker. Destroy it when Empty was true; otherwise the next daemon's start cleans up.
class ContainmentScope {
 public:
  virtual ~ContainmentScope() = default;
  // The descriptor of the cgroup's folder, for CLONE; -1: there is none.
  virtual int fd() const { return -1; }
  // Puts a process in that was started outside. Call before the process runs code of others.
  virtual absl::Status Admit(pid_t pid) { return absl::OkStatus(); }
  // Tells that the zygote has said READY.
  virtual void OnZygoteReady(pid_t pid) {}
  // Sends SIGKILL to every process in the scope that can be reached while the process itself lives.
  virtual void KillAll() {}
  // Whether the kernel killed a process of the scope because memory ran out. False also where the kernel does not tell.
  virtual bool OutOfMemory() { return false; }
  // Kills the processes that are left. True: none is alive; call until then. REQUIRES: the process itself was reaped.
  virtual bool Empty() = 0;
};

// A zygote's scope, and the means that the zygote is given.
struct ZygoteScope {
  std::unique_ptr<ContainmentScope> scope;
  std::map<std::string, std::string> environment;
  // The zygote's descriptor kCgroupKillFd. None: there is no cgroup.
  wire::UniqueFd kill_all;
};

class Containment {
 public:
  virtual ~Containment() = default;
  virtual ContainmentTier tier() const = 0;
  virtual absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) = 0;
  // `zygote`: the scope of the zygote that the worker is cloned from, which may go before the result.
  virtual absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                            ContainmentScope& zygote) = 0;
};

// Containment by a PID namespace for every zygote's workers. The zygote makes the namespace (POOLD_PID_NAMESPACE=1): it
// unshares, starts a tiny init, and clones its workers into the namespace. Orphans go to that init and are killed
// there. The kernel owns the namespace, which ends with its init. `children` must outlive the result and all its
// scopes. UNAVAILABLE says why this machine has no such thing.
absl::StatusOr<std::unique_ptr<Containment>> MakePidNamespaceContainment(ChildRegistry* children);
// Containment where there is nothing better: makes the daemon a subreaper. Workers adopt their orphans, the daemon
// adopts and kills those of dead workers and zygotes. After kill -9 of the daemon, grandchildren that left their
// session live on. `children` and errors: as above.
absl::StatusOr<std::unique_ptr<Containment>> MakeSubreaperContainment(ChildRegistry* children);

struct ChosenContainment {
  std::unique_ptr<Containment> containment;
  ContainmentReport report;
};

// Chooses the best tier that the machine gives, or exactly the one that is asked for. `children` must outlive the
// result. `instance` names this daemon among others on the machine.
absl::StatusOr<ChosenContainment> ChooseContainment(ContainmentChoice choice, const std::string& instance,
                                                    ChildRegistry* children);

// ProcessRegistry: the state that all dispatchers of the process share: its children, and their containment. Children
// belong to the process and not to a thread, so there is one registry.
//
// Threads: made before there is a dispatcher; thread-safe then. Ownership: shared by the dispatchers; with the last one
// the folders and namespaces of the containment go.
struct ProcessRegistry {
  // `instance_id` names this daemon among others on the machine. UNAVAILABLE: the machine does not have the containment
  // that is asked for.
  static absl::StatusOr<std::shared_ptr<ProcessRegistry>> Make(ContainmentChoice choice,
                                                               const std::string& instance_id);

  ChildRegistry children;
  // Declared behind the children that it refers to, so destroyed before them.
  std::unique_ptr<Containment> containment;
  ContainmentReport report;
};

}  // namespace poold::process
