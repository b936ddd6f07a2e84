#include "process/containment/process_registry.h"

#include <utility>

namespace poold::process {

absl::StatusOr<std::shared_ptr<ProcessRegistry>> ProcessRegistry::Make(ContainmentChoice choice,
                                                                       const std::string& instance_id) {
  auto registry = std::make_shared<ProcessRegistry>();
  auto chosen = ChooseContainment(choice, instance_id, &registry->children);
  if (!chosen.ok()) return chosen.status();
  registry->containment = std::move(chosen->containment);
  registry->report = std::move(chosen->report);
  return registry;
}

}  // namespace poold::process
