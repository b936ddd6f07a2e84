// The process that a pool's workers are cloned from.
//
// Role: answers CLONE frames. Non-role: reaps nothing (the daemon is its clones' parent), runs no task.
// Not thread-safe; one thread.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "channel.h"
#include "inherited.h"
#include "poold/internal/worker.pb.h"

namespace poold::worker {

class Zygote {
 public:
  // `inherited` is what this process itself was given; `setup` what it was told. Owns none.
  Zygote(Channel* channel, const Inherited* inherited, const internal::Setup* setup)
      : channel_(channel), inherited_(inherited), setup_(setup) {}

  // In the zygote: returns nothing at the end of its channel (an error: what the daemon would never send). In every
  // clone: returns what it was given, in its own right; its resource limits are not set yet.
  absl::StatusOr<std::optional<Inherited>> Run();
  // In a clone: what of its birth went wrong.
  const absl::Status& born() const { return born_; }

 private:
  absl::StatusOr<std::optional<Inherited>> OnClone();
  // RESOURCE_EXHAUSTED: the daemon asks again.
  absl::StatusOr<std::optional<Inherited>> RefuseClone(const absl::Status& why);
  absl::StatusOr<Inherited> BecomeWorker(Inherited given, wire::UniqueFd out, wire::UniqueFd err);
  [[noreturn]] void Execute(const Inherited& given);

  Channel* const channel_;
  const Inherited* const inherited_;
  const internal::Setup* const setup_;
  internal::Clone clone_;  // reused
  absl::Status born_;
};

}  // namespace poold::worker
