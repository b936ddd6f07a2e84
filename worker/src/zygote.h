// The process that a pool's workers are cloned from.
//
// Role: answers CLONE frames. Non-role: reaps nothing (the daemon is its clones' parent), runs no task.
// Not thread-safe; one thread.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "bootstrap_environment.h"
#include "channel.h"
#include "poold/internal/worker.pb.h"

namespace poold::worker {

class Zygote {
 public:
  // `bootstrap` is what this process itself was given; `setup` what it was told. Owns none.
  Zygote(Channel* channel, const BootstrapEnvironment* bootstrap, const internal::Setup* setup)
      : channel_(channel), bootstrap_(bootstrap), setup_(setup) {}

  // In the zygote: returns nothing at the end of its channel (an error: what the daemon would never send). In every
  // clone: returns what it was given, in its own right; its resource limits are not set yet.
  absl::StatusOr<std::optional<BootstrapEnvironment>> Run();
  // In a clone: what of its birth went wrong.
  const absl::Status& born() const { return born_; }

 private:
  absl::StatusOr<std::optional<BootstrapEnvironment>> OnClone();
  // RESOURCE_EXHAUSTED: the daemon asks again.
  absl::StatusOr<std::optional<BootstrapEnvironment>> RefuseClone(const absl::Status& why);
  absl::StatusOr<BootstrapEnvironment> BecomeWorker(BootstrapEnvironment given, wire::UniqueFd out, wire::UniqueFd err);
  [[noreturn]] void Execute(const BootstrapEnvironment& given);

  Channel* const channel_;
  const BootstrapEnvironment* const bootstrap_;
  const internal::Setup* const setup_;
  internal::Clone clone_;  // reused
  absl::Status born_;
};

}  // namespace poold::worker
