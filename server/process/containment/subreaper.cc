#include "process/containment/subreaper.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <string>

#include "process/containment/orphan_sweep.h"

namespace poold::process {
namespace {

class OrphanCage final : public Cage {
 public:
  explicit OrphanCage(Family* family) : sweep_(family) {}
  bool Empty() override { return sweep_.Go(true) == Swept::kClean; }

 private:
  OrphanSweep sweep_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Containment>> SubreaperContainment::Make(Family* family) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return absl::UnavailableError(std::string("cannot become a subreaper: ") + strerror(errno));
  }
  return std::unique_ptr<Containment>(new SubreaperContainment(family));
}

absl::StatusOr<ZygoteCage> SubreaperContainment::MakeZygoteCage(core::PoolId pool, std::uint32_t generation) {
  ZygoteCage made;
  made.cage = std::make_unique<OrphanCage>(family_);
  made.environment = {{"POOLD_SUBREAPER", "1"}};
  return made;
}

absl::StatusOr<std::unique_ptr<Cage>> SubreaperContainment::MakeWorkerCage(core::PoolId pool, core::WorkerId worker,
                                                                           Cage& zygote) {
  return std::unique_ptr<Cage>(new OrphanCage(family_));
}

}  // namespace poold::process
