#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <string>

#include "process/containment/child_registry.h"
#include "process/containment/containment.h"

namespace poold::process {
namespace {

class OrphanScope final : public ContainmentScope {
 public:
  explicit OrphanScope(ChildRegistry* children) : sweep_(children) {}
  bool Empty() override { return sweep_.Go(true) == Swept::kClean; }

 private:
  OrphanSweep sweep_;
};

class SubreaperContainment final : public Containment {
 public:
  explicit SubreaperContainment(ChildRegistry* children) : children_(children) {}

  ContainmentTier tier() const override { return ContainmentTier::kSubreaper; }
  absl::StatusOr<ZygoteScope> MakeZygoteScope(core::PoolId pool, std::uint32_t generation) override {
    ZygoteScope made;
    made.scope = std::make_unique<OrphanScope>(children_);
    made.environment = {{"POOLD_SUBREAPER", "1"}};
    return made;
  }
  absl::StatusOr<std::unique_ptr<ContainmentScope>> MakeWorkerScope(core::PoolId pool, core::WorkerId worker,
                                                                    ContainmentScope& zygote) override {
    return std::unique_ptr<ContainmentScope>(new OrphanScope(children_));
  }

 private:
  ChildRegistry* const children_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Containment>> MakeSubreaperContainment(ChildRegistry* children) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return absl::UnavailableError(std::string("cannot become a subreaper: ") + strerror(errno));
  }
  return std::make_unique<SubreaperContainment>(children);
}

}  // namespace poold::process
