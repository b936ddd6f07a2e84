// Containment where there is nothing better: workers adopt their orphans, the daemon those of dead workers and zygotes,
// and kills them on sight.
#pragma once

#include <memory>

#include "process/containment/containment.h"

namespace poold::process {

class SubreaperContainment final : public Containment {
 public:
  // Makes the daemon a subreaper.
  static absl::StatusOr<std::unique_ptr<Containment>> Make(Family* family);

  ContainmentTier tier() const override { return ContainmentTier::kSubreaper; }
  absl::StatusOr<ZygoteCage> MakeZygoteCage(core::PoolId pool, std::uint32_t generation) override;
  absl::StatusOr<std::unique_ptr<Cage>> MakeWorkerCage(core::PoolId pool, core::WorkerId worker, Cage& zygote) override;

 private:
  explicit SubreaperContainment(Family* family) : family_(family) {}
  Family* const family_;
};

}  // namespace poold::process
