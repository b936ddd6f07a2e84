// An arena of a worker in this process, and what this client holds there (wire/arena_hold.h).
//
// Thread-safe. Holds of one slot are counted here, since those of one file description do not add up. Owned by who
// knows it and by every result that is held there; may outlive the client and the daemon.
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

class KnownArena {
 public:
  explicit KnownArena(wire::ArenaMapping mapping) : mapping_(std::move(mapping)) {}

  const wire::ArenaMapping& mapping() const { return mapping_; }
  // Whether who makes it looks for holds.
  bool CanHold() const { return mapping_.head().heeds_holds.load() != 0; }
  // It was never given a descriptor, which it needs to hold anything.
  bool WantsDescriptor() const ABSL_LOCKS_EXCLUDED(mu_);
  // That of this arena, as it came: it opens it for itself, if it can.
  void SetDescriptor(int fd) ABSL_LOCKS_EXCLUDED(mu_);

  // From here on the slot stays as it is, if its word still says so, which is to be looked at then. REQUIRES:
  // CanHold(), and it has such a slot. False: it cannot be held.
  bool Hold(std::uint32_t slot) ABSL_LOCKS_EXCLUDED(mu_);
  // REQUIRES: as often as Hold.
  void LetGo(std::uint32_t slot) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const wire::ArenaMapping mapping_;
  // A child that is forked shares the holds: it must not end them.
  const ProcessMark process_ = ProcessMark::Here();
  mutable absl::Mutex mu_;
  wire::UniqueFd fd_ ABSL_GUARDED_BY(mu_);
  bool wants_descriptor_ ABSL_GUARDED_BY(mu_) = true;
  std::array<std::uint32_t, wire::kMaxArenaSlots> holds_ ABSL_GUARDED_BY(mu_){};
};

}  // namespace poold::client::internal
