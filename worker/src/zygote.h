// Zygote: the process from which a pool's workers are cloned.
//
// Role: answers CLONE frames. Non-role: reaps nothing (the daemon is its clones' parent), runs no task.
// Threads: one thread.
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
  // `bootstrap`: the values of this process itself; `setup`: its SETUP. Owns none.
  Zygote(Channel* channel, const BootstrapEnvironment* bootstrap, const internal::Setup* setup)
      : channel_(channel), bootstrap_(bootstrap), setup_(setup) {}

  // In the zygote: returns nothing at the end of its channel, or an error: the daemon sent what it never sends. In
  // every clone: returns the clone's own values; its resource limits are not set yet.
  absl::StatusOr<std::optional<BootstrapEnvironment>> Run();
  // In a clone: what went wrong while it started; OK: nothing.
  const absl::Status& born() const { return born_; }

 private:
  absl::StatusOr<std::optional<BootstrapEnvironment>> OnClone();
  // Answers CLONE_FAILED. RESOURCE_EXHAUSTED: the daemon asks again.
  absl::StatusOr<std::optional<BootstrapEnvironment>> RefuseClone(const absl::Status& why);
  // Runs in the clone: takes over descriptors and output, or executes the worker program.
  absl::StatusOr<BootstrapEnvironment> BecomeWorker(BootstrapEnvironment given, wire::UniqueFd out, wire::UniqueFd err);
  [[noreturn]] void Execute(const BootstrapEnvironment& given);

  Channel* const channel_;
  const BootstrapEnvironment* const bootstrap_;
  const internal::Setup* const setup_;
  // The message under way, whose memory is used again.
  internal::Clone clone_;
  absl::Status born_;
};

}  // namespace poold::worker
