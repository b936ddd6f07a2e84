#include "process/containment/containment.h"

#include <string_view>
#include <utility>

#include "process/containment/cgroup.h"
#include "wire/absl_text.h"

namespace poold::process {
namespace {

absl::StatusOr<std::unique_ptr<Containment>> Make(ContainmentTier tier, const std::string& instance,
                                                  ChildRegistry* children) {
  switch (tier) {
    case ContainmentTier::kCgroup:
      return CgroupContainment::Make(instance);
    case ContainmentTier::kPidNamespace:
      return MakePidNamespaceContainment(children);
    case ContainmentTier::kSubreaper:
      return MakeSubreaperContainment(children);
  }
  return absl::InvalidArgumentError("no such containment");
}

}  // namespace

std::string_view ContainmentName(ContainmentTier tier) {
  switch (tier) {
    case ContainmentTier::kCgroup:
      return "cgroup";
    case ContainmentTier::kPidNamespace:
      return "pid_namespace";
    case ContainmentTier::kSubreaper:
      return "subreaper";
  }
  return "";
}

absl::StatusOr<ChosenContainment> ChooseContainment(ContainmentChoice choice, const std::string& instance,
                                                    ChildRegistry* children) {
  ChosenContainment chosen;
  for (const ContainmentTier tier :
       {ContainmentTier::kCgroup, ContainmentTier::kPidNamespace, ContainmentTier::kSubreaper}) {
    if (choice != ContainmentChoice::kAuto && static_cast<int>(choice) != static_cast<int>(tier)) continue;
    auto made = Make(tier, instance, children);
    if (made.ok()) {
      chosen.containment = std::move(*made);
      chosen.report.tier = tier;
      return chosen;
    }
    const std::string why =
        std::string(ContainmentName(tier)) + ": " + std::string(wire::ToStd(made.status().message()));
    chosen.report.note += (chosen.report.note.empty() ? "" : "; ") + why;
  }
  return absl::UnavailableError("containment is not to be had: " + chosen.report.note);
}

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
