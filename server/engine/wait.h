// WaitForSome: a wait for some of many handles, which may lie in several cores.
//
// Role: lets each core wait for its own handles, in a question for each kSlice of them: others get in between. The
// first one that has enough ends the wait; the others are then asked again, without waiting. Non-role: decides nothing
// about handles. Threads: made, begun and dropped by one thread, on which `post` runs its work; answered by any thread.
// Ownership: shared by the questions that are under way; the engine must outlive it. Errors: those of the cores, passed
// on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/core.h"
#include "engine/engine.h"

namespace poold::engine {

class WaitForSome : public std::enable_shared_from_this<WaitForSome> {
 public:
  using Done = absl::flat_hash_set<core::HandleId>;

  struct Order {
    core::WaitMode mode{};
    // The worker of the task that waits; none: no task waits.
    core::WorkerId from{};
    // Runs work later, on the thread that made the wait, outside of events.
    std::function<void(std::function<void()>)> post;
    // Takes the handles that are done, or the reason of a refusal. The first call counts; a refusal may come several
    // times.
    std::function<void(absl::StatusOr<Done>)> then;
  };

  WaitForSome(const Engine* engine, std::span<const core::HandleId> ids, Order order);
  // Begins to wait, for at most `wait` ns. Call once.
  void Begin(core::Nanos wait);
  // Ends the wait without an answer.
  void Drop();

 private:
  // The handles of one core, and its answer; none: it has not answered.
  struct Part {
    HandleGroup handles;
    // Used by the thread that made the wait.
    PendingCall asked;
    std::optional<core::WaitAnswer> answer;
  };

  // Asks the core of this part.
  void Ask(std::size_t place, core::Nanos wait);
  // Takes the answer of the core of this part. Any thread.
  void Take(std::size_t place, absl::StatusOr<core::WaitAnswer> answer);
  // Asks the cores that still wait once more, without waiting.
  void Hurry();
  // Puts the answers together and passes them on.
  void Reply();

  const Order order_;
  std::vector<Part> parts_;  // constant in number
  absl::Mutex mu_;
  // Parts without an answer.
  std::size_t missing_ ABSL_GUARDED_BY(mu_);
  // Hurry was called, or is about to be.
  bool hurried_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace poold::engine
