#include "process/containment/subreaper.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <string>

#include "process/containment/orphan_sweep.h"

namespace poold::process {
namespace {

class OrphanScope final : public ContainmentScope {
 public:
  explicit OrphanScope(ChildRegistry* children) : sweep_(children) {}
  bool Empty() override { return sweep_.Go(true) == Swept::kClean; }

 private:
  OrphanSweep sweep_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Containment>> SubreaperContainment::Make(ChildRegistry* children) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return absl::UnavailableError(std::string("cannot become a subreaper: ") + strerror(errno));
  }
  return std::unique_ptr<Containment>(new SubreaperContainment(children));
}

absl::StatusOr<ZygoteScope> SubreaperContainment::MakeZygoteScope(core::PoolId pool, std::uint32_t generation) {
  ZygoteScope made;
  made.scope = std::make_unique<OrphanScope>(children_);
  made.environment = {{"POOLD_SUBREAPER", "1"}};
  return made;
}

absl::StatusOr<std::unique_ptr<ContainmentScope>> SubreaperContainment::MakeWorkerScope(core::PoolId pool,
                                                                                        core::WorkerId worker,
                                                                                        ContainmentScope& zygote) {
  return std::unique_ptr<ContainmentScope>(new OrphanScope(children_));
}

}  // namespace poold::process
