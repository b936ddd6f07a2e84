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

struct ChosenContainment {
  std::unique_ptr<Containment> containment;
  ContainmentReport report;
};

// The best that the machine gives, or exactly the one asked for. `children` must outlive it. `instance` names this
// daemon among others on the machine.
absl::StatusOr<ChosenContainment> ChooseContainment(ContainmentChoice choice, const std::string& instance,
                                                    ChildRegistry* children);

}  // namespace poold::process
