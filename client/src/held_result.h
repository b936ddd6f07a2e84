// HeldResult: a result that stays in its arena as long as the object lives.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "known_arena.h"

namespace poold::client::internal {

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

}  // namespace poold::client::internal
