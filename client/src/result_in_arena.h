// ResultInArena: a result in an arena that may be used again at any time.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "known_arena.h"

namespace poold::client::internal {

// The daemon may give the slot to another result: copy the bytes first, then ask whether they were still there. While a
// handle is not released and the daemon keeps outcomes, the result is there.
// Thread safety: constant after construction.
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
