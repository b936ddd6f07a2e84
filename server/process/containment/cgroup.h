// Containment by a cgroup (v2) for every zygote and worker, in a folder for every pool:
//   <the daemon's own cgroup>/poold-<instance>/pool-<n>/{zygote-<generation>,worker-<id>}
// No controller is needed, only cgroup.kill (Linux 5.14) and the right to make folders.
//
// Threads: as Containment says. Ownership: a scope keeps the folders above its own; each folder is removed with the
// last thing that keeps it. Errors name the folder.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "process/containment/containment.h"

namespace poold::process {

class CgroupFolder;

class CgroupContainment final : public Containment {
 public:
  // Makes the daemon's folder and removes what dead daemons left. The error says why this machine has no such thing.
  static absl::StatusOr<std::unique_ptr<Containment>> Make(const std::string& instance);

  ContainmentTier tier() const override { return ContainmentTier::kCgroup; }
  absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) override;
  absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                    ContainmentScope& zygote) override;

 private:
  explicit CgroupContainment(std::shared_ptr<CgroupFolder> own) : own_(std::move(own)) {}
  absl::StatusOr<std::shared_ptr<CgroupFolder>> PoolFolder(core::PoolId pool);

  const std::shared_ptr<CgroupFolder> own_;
  std::atomic<std::uint64_t> zygotes_ = 0;
  absl::Mutex mu_;
  // Removed when the last scope in it goes. All scopes of one pool are of one process thread.
  std::map<core::PoolId, std::weak_ptr<CgroupFolder>> pools_ ABSL_GUARDED_BY(mu_);
};

// The folder of this process in the cgroup2 hierarchy, as a path; empty where there is none. The two texts are
// /proc/self/mountinfo and /proc/self/cgroup.
std::string FindOwnCgroup(const std::string& mountinfo, const std::string& cgroup);

// Whether the text of a memory.events tells of a process that the kernel killed. Such a file is only there where the
// memory controller is on.
bool TellsOfOutOfMemory(const std::string& memory_events);

}  // namespace poold::process
