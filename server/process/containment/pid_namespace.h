// Containment by a PID namespace for every zygote's workers. The zygote makes it (POOLD_PID_NAMESPACE=1): it unshares,
// starts a tiny init, and clones its workers into it. Orphans go to that init and are killed there.
#pragma once

#include <memory>

#include "process/containment/containment.h"

namespace poold::process {

class PidNamespaceContainment final : public Containment {
 public:
  // The error says why this machine does not let us.
  static absl::StatusOr<std::unique_ptr<Containment>> Make(Family* family);

  ContainmentTier tier() const override { return ContainmentTier::kPidNamespace; }
  absl::StatusOr<ZygoteCage> MakeZygoteCage(core::PoolId pool, std::uint32_t generation) override;
  absl::StatusOr<std::unique_ptr<Cage>> MakeWorkerCage(core::PoolId pool, core::WorkerId worker, Cage& zygote) override;

 private:
  explicit PidNamespaceContainment(Family* family) : family_(family) {}
  Family* const family_;
};

}  // namespace poold::process
