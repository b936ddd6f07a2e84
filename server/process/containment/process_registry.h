// The state that all dispatchers of the process share: its children and the means that keep them together. Both are of
// the process and not of a thread, so there is one of this.
//
// Threads: made before there is a dispatcher; then all of it is thread-safe. Ownership: shared by the dispatchers; the
// last one that goes removes what the containment made.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "process/containment/child_registry.h"
#include "process/containment/containment.h"

namespace poold::process {

struct ProcessRegistry {
  // Fails when the containment that is asked for is not to be had. `instance_id` names this daemon among others on the
  // machine.
  static absl::StatusOr<std::shared_ptr<ProcessRegistry>> Make(ContainmentChoice choice,
                                                               const std::string& instance_id);

  ChildRegistry children;
  // Goes before the children that it knows.
  std::unique_ptr<Containment> containment;
  ContainmentReport report;
};

}  // namespace poold::process
