// A result as it lies in an arena, which the daemon may give to another one at any time: copy it, then ask whether it
// was still there. Who has a handle to it and does not release it finds it there, as long as the daemon keeps outcomes.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "known_arena.h"

namespace poold::client::internal {

class ResultInArena {
 public:
  // REQUIRES: arena->mapping().Has(...).
  ResultInArena(std::shared_ptr<const KnownArena> arena, wire::ArenaPlace place, std::uint64_t bytes)
      : arena_(std::move(arena)), place_(place), bytes_(bytes) {}

  std::string_view view() const { return arena_->mapping().View(place_.slot, bytes_); }
  bool StillThere() const { return arena_->mapping().Is(place_, wire::SlotState::kTaken); }

 private:
  std::shared_ptr<const KnownArena> arena_;
  wire::ArenaPlace place_;
  std::uint64_t bytes_;
};

}  // namespace poold::client::internal
