// Containment where there is nothing better: workers adopt their orphans, the daemon those of dead workers and zygotes,
// and kills them on sight.
//
// Threads: as Containment says. Ownership: does not own the registry of children, which must outlive it and all scopes.
// Limits: after kill -9 of the daemon, grandchildren that left their session live on.
#pragma once

#include <memory>

#include "process/containment/containment.h"

namespace poold::process {

class SubreaperContainment final : public Containment {
 public:
  // Makes the daemon a subreaper.
  static absl::StatusOr<std::unique_ptr<Containment>> Make(ChildRegistry* children);

  ContainmentTier tier() const override { return ContainmentTier::kSubreaper; }
  absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) override;
  absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                    ContainmentScope& zygote) override;

 private:
  explicit SubreaperContainment(ChildRegistry* children) : children_(children) {}
  ChildRegistry* const children_;
};

}  // namespace poold::process
