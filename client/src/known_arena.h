// KnownArena: an arena of a worker in this process, with the slots that this client holds (wire/arena.h).
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "process_mark.h"
#include "wire/arena.h"
#include "wire/unique_fd.h"

namespace poold::client::internal {

// Thread-safe. Holds of one slot are counted here, because holds of one file description do not add up.
// Ownership: shared by the PayloadSocket and by every result that is held there; may outlive the client and the daemon.
class KnownArena {
 public:
  explicit KnownArena(wire::ArenaMapping mapping) : mapping_(std::move(mapping)) {}

  const wire::ArenaMapping& mapping() const { return mapping_; }
  // Whether the worker that made the arena respects holds.
  bool CanHold() const { return mapping_.head().heeds_holds.load() != 0; }
  // Whether the arena was never given a descriptor, which it needs to hold a slot.
  bool WantsDescriptor() const ABSL_LOCKS_EXCLUDED(mu_);
  // Opens the file of `fd` anew for holds, where that is possible. Does not take `fd` over. Only the first call counts.
  void SetDescriptor(int fd) ABSL_LOCKS_EXCLUDED(mu_);

  // Holds the slot: from here on its bytes stay, if its state still says so; the caller looks at the state after this
  // call. False: the slot cannot be held (no descriptor, or a forked child). REQUIRES: CanHold(), and the arena has the
  // slot.
  bool Hold(std::uint32_t slot) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends one Hold. REQUIRES: called as often as Hold returned true.
  void LetGo(std::uint32_t slot) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const wire::ArenaMapping mapping_;
  // A forked child shares the holds and must not end them.
  const ProcessMark process_ = ProcessMark::Here();
  mutable absl::Mutex mu_;
  wire::UniqueFd fd_ ABSL_GUARDED_BY(mu_);
  bool wants_descriptor_ ABSL_GUARDED_BY(mu_) = true;
  std::array<std::uint32_t, wire::kMaxArenaSlots> holds_ ABSL_GUARDED_BY(mu_){};
};

}  // namespace poold::client::internal
