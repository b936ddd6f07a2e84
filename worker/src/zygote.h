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
  // `inherited` is what this process itself was given; `exec_path` as in SETUP. Owns neither.
  Zygote(Channel* channel, const Inherited* inherited, std::string exec_path)
      : channel_(channel), inherited_(inherited), exec_path_(std::move(exec_path)) {}

  // In the zygote: returns nothing at the end of its channel (an error: what the daemon would never send). In every
  // clone: returns what it was given, in its own right.
  absl::StatusOr<std::optional<Inherited>> Run();

 private:
  absl::StatusOr<std::optional<Inherited>> OnClone();
  absl::StatusOr<Inherited> BecomeWorker(Inherited given, wire::UniqueFd out, wire::UniqueFd err);
  [[noreturn]] void Execute(const Inherited& given);

  Channel* const channel_;
  const Inherited* const inherited_;
  const std::string exec_path_;
  internal::Clone clone_;  // reused
};

}  // namespace poold::worker
