// Containment by a PID namespace for every zygote's workers. The zygote makes it (POOLD_PID_NAMESPACE=1): it unshares,
// starts a tiny init, and clones its workers into it. Orphans go to that init and are killed there.
//
// Threads: as Containment says. Ownership: does not own the registry of children, which must outlive it and all scopes.
// The kernel owns the namespace: it ends with its init.
#pragma once

#include <memory>

#include "process/containment/containment.h"

namespace poold::process {

class PidNamespaceContainment final : public Containment {
 public:
  // The error says why this machine does not let us.
  static absl::StatusOr<std::unique_ptr<Containment>> Make(ChildRegistry* children);

  ContainmentTier tier() const override { return ContainmentTier::kPidNamespace; }
  absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) override;
  absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                    ContainmentScope& zygote) override;

 private:
  explicit PidNamespaceContainment(ChildRegistry* children) : children_(children) {}
  ChildRegistry* const children_;
};

}  // namespace poold::process
