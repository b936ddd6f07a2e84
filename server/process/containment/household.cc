#include "process/containment/household.h"

#include <utility>

namespace poold::process {

absl::StatusOr<std::shared_ptr<Household>> Household::Make(ContainmentChoice choice, const std::string& instance_id) {
  auto household = std::make_shared<Household>();
  auto chosen = ChooseContainment(choice, instance_id, &household->family);
  if (!chosen.ok()) return chosen.status();
  household->containment = std::move(chosen->containment);
  household->report = std::move(chosen->report);
  return household;
}

}  // namespace poold::process
