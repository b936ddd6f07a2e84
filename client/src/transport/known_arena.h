// KnownArena: an arena of a worker in this process, with the slots that this client holds (wire/arena.h).
// HeldResult, ResultInArena: results that lie in one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
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

// A result that stays in its arena as long as the object lives.
// Ownership: shared by every SharedBytes of the result; holds the slot of the arena, and lets the slot go at its end.
// Thread safety: constant after construction.
class HeldResult {
 public:
  // Null: the result is not there any more, or cannot be held.
  static std::shared_ptr<const HeldResult> Make(std::shared_ptr<KnownArena> arena, wire::ArenaPlace place,
                                                std::uint64_t bytes) {
    const wire::ArenaMapping& mapping = arena->mapping();
    if (!mapping.Has(place.slot, bytes) || !arena->CanHold() || !arena->Hold(place.slot)) return nullptr;
    std::shared_ptr<const HeldResult> held(new HeldResult(std::move(arena), place.slot, bytes));
    return mapping.Is(place, wire::SlotState::kTaken) ? held : nullptr;
  }
  HeldResult(const HeldResult&) = delete;
  HeldResult& operator=(const HeldResult&) = delete;
  ~HeldResult() { arena_->LetGo(slot_); }

  // Valid as long as this object. A process of the same user can change the bytes.
  std::string_view view() const { return arena_->mapping().View(slot_, bytes_); }

 private:
  HeldResult(std::shared_ptr<KnownArena> arena, std::uint32_t slot, std::uint64_t bytes)
      : arena_(std::move(arena)), slot_(slot), bytes_(bytes) {}

  const std::shared_ptr<KnownArena> arena_;
  const std::uint32_t slot_;
  const std::uint64_t bytes_;
};

// A result in an arena that the daemon may give to another result at any time: copy the bytes first, then ask whether
// they were still there. While a handle is not released and the daemon keeps outcomes, the result is there. Thread
// safety: constant after construction.
class ResultInArena {
 public:
  // REQUIRES: arena->mapping().Has(place.slot, bytes).
  ResultInArena(std::shared_ptr<const KnownArena> arena, wire::ArenaPlace place, std::uint64_t bytes)
      : arena_(std::move(arena)), place_(place), bytes_(bytes) {}

  // The bytes, which may change while they are read.
  std::string_view view() const { return arena_->mapping().View(place_.slot, bytes_); }
  // Whether a copy that was made before this call is the result.
  bool StillThere() const { return arena_->mapping().Is(place_, wire::SlotState::kTaken); }

 private:
  std::shared_ptr<const KnownArena> arena_;
  wire::ArenaPlace place_;
  std::uint64_t bytes_;
};

}  // namespace poold::client::internal
