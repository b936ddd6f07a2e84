#include "process/loss_cause.h"

namespace poold::process {

core::LossCause CauseOf(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ? core::LossCause::kResources : core::LossCause::kItself;
}

core::LossCause CauseOf(const Death& death, const ResourceLimits& limits, bool out_of_memory) {
  if (out_of_memory) return core::LossCause::kResources;
  return Blame(death, limits, false) == core::KilledBy::kOutsider ? core::LossCause::kOutsider
                                                                  : core::LossCause::kItself;
}

absl::Status TooFewDescriptors() {
  return absl::ResourceExhaustedError(
      "few descriptors of the daemon are left, and these are kept for what runs; raise its limit (LimitNOFILE=, ulimit "
      "-n)");
}

}  // namespace poold::process
