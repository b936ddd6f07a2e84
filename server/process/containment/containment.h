// Keeps a process and everything that it ever starts together, so that all of it can be killed and none of it missed.
//
// Three means, best first:
//   cgroup         a cgroup (v2) for every worker. Nothing leaves it; cgroup.kill ends all at once. After kill -9 of
//   the
//                  daemon the zygote, which sees the end of its channel, kills the pool's folder.
//   pid namespace  one for every pool. What a dead worker leaves becomes a child of the namespace's init and is killed
//                  there. When the zygote or the daemon dies, the kernel kills the whole namespace.
//   subreaper      workers and daemon adopt orphans; an orphan that comes to the daemon is killed on sight. After kill
//   -9
//                  of the daemon what left its session survives.
// In all of them: what a task leaves running lives at most until its worker ends.
//
// Threads: a Containment is thread-safe, for the process threads of several dispatchers; a ContainmentScope is of the
// one that made it. Pools and workers have numbers that are their own across all of them. Choose before there are any.
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

// The tier that was chosen, and why none better, where there is one.
struct ContainmentReport {
  ContainmentTier tier = ContainmentTier::kSubreaper;
  std::string note;
};

// Around one zygote or worker. When it goes, it must be Empty (else what is in it is left to the next daemon's start).
class ContainmentScope {
 public:
  virtual ~ContainmentScope() = default;
  // The folder of a cgroup, for CLONE; -1 for none.
  virtual int fd() const { return -1; }
  // A process that was started outside is put in. Before it may run anything of others.
  virtual absl::Status Admit(pid_t pid) { return absl::OkStatus(); }
  // A zygote has said READY.
  virtual void OnZygoteReady(pid_t pid) {}
  // SIGKILL to everything in it that can be reached while the process itself lives.
  virtual void KillAll() {}
  // The kernel killed something in it because memory ran out. False too where nobody tells.
  virtual bool OutOfMemory() { return false; }
  // REQUIRES: the process itself was reaped. Kills what it left; true when nothing of it is alive. Call until true.
  virtual bool Empty() = 0;
};

// A zygote's scope, and what of it the zygote is told.
struct ZygoteScope {
  std::unique_ptr<ContainmentScope> scope;
  std::map<std::string, std::string> environment;
  // Its descriptor kCgroupKillFd; none if not there.
  wire::UniqueFd kill_all;
};

class Containment {
 public:
  virtual ~Containment() = default;
  virtual ContainmentTier tier() const = 0;
  virtual absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) = 0;
  // `zygote` is the scope of the zygote that it is cloned from; it may go first.
  virtual absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                            ContainmentScope& zygote) = 0;
};

// Containment by a PID namespace for every zygote's workers. The zygote makes the namespace (POOLD_PID_NAMESPACE=1): it unshares,
// starts a tiny init, and clones its workers into the namespace. Orphans go to that init and are killed there. The kernel owns
// the namespace, which ends with its init. `children` must outlive the result and all its scopes. UNAVAILABLE says why this
// machine has no such thing.
absl::StatusOr<std::unique_ptr<Containment>> MakePidNamespaceContainment(ChildRegistry* children);
// Containment where there is nothing better: makes the daemon a subreaper. Workers adopt their orphans, the daemon adopts and kills
// those of dead workers and zygotes. After kill -9 of the daemon, grandchildren that left their session live on. `children` and
// errors: as above.
absl::StatusOr<std::unique_ptr<Containment>> MakeSubreaperContainment(ChildRegistry* children);

struct ChosenContainment {
  std::unique_ptr<Containment> containment;
  ContainmentReport report;
};

// The best that the machine gives, or exactly the one asked for. `children` must outlive it. `instance` names this
// daemon among others on the machine.
absl::StatusOr<ChosenContainment> ChooseContainment(ContainmentChoice choice, const std::string& instance,
                                                    ChildRegistry* children);

// The state that all dispatchers of the process share: its children and the means that keep them together. Both are of
// the process and not of a thread, so there is one of this.
//
// Threads: made before there is a dispatcher; then all of it is thread-safe. Ownership: shared by the dispatchers; the
// last one that goes removes what the containment made.
struct ProcessRegistry {
  // Fails when the containment that is asked for is not to be had. `instance_id` names this daemon among others on the
  // machine.
  static absl::StatusOr<std::shared_ptr<ProcessRegistry>> Make(ContainmentChoice choice,
                                                               const std::string& instance_id);

  ChildRegistry children;
  // Goes before the children that it knows.
  std::unique_ptr<Containment> containment;
  ContainmentReport report;
};

}  // namespace poold::process
