#include "result_slot.h"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "own_process.h"

namespace poold::worker {
namespace {

// Of arenas. More is needed only while many results wait for their readers, and goes through the ring.
constexpr std::uint64_t kMaxArenaBytes = 256u << 20;

static_assert(ResultRoom::kLeastBytes == wire::kMinArenaPayloadBytes);

}  // namespace

ResultSlot::ResultSlot(Channel* channel, OutcomeWriter* outcomes, std::uint64_t most_bytes)
    : channel_(channel),
      outcomes_(outcomes),
      maker_(kMaxArenaBytes, wire::ArenaMaker::Holds::kHeeded),
      most_bytes_(std::min(most_bytes, wire::kMaxArenaPayloadBytes)) {}

char* ResultSlot::Take(std::size_t bytes) {
  if (!open_ || taken_ || bytes < kLeastBytes || bytes > most_bytes_) return nullptr;
  // The arena is shared: what a child wrote there would be its parent's result.
  LeaveIfChild(kChildReturned);
  auto reserved = maker_.Reserve(bytes, [this](int fd, const wire::ArenaShape&) {
    const std::lock_guard held(*outcomes_);
    // Before the record that speaks of it: who reads the record finds it. Without its daemon a worker has nothing to
    // live for.
    if (!channel_->SendArena(fd).ok()) _exit(1);
    return std::optional<std::uint64_t>(arenas_sent_++);
  });
  if (!reserved) return nullptr;
  taken_.emplace(Taken{*std::move(reserved), bytes});
  return taken_->reserved.memory;
}

wire::ResultPlace ResultSlot::Finish() {
  const Taken taken = *std::exchange(taken_, std::nullopt);
  return {.use = taken.reserved.place.use,
          .bytes = taken.bytes,
          .slot_bytes = taken.reserved.shape.slot_bytes,
          .arena = static_cast<std::uint32_t>(taken.reserved.arena),
          .slot = taken.reserved.place.slot};
}

void ResultSlot::Abandon() { wire::ArenaMaker::Abandon(std::exchange(taken_, std::nullopt)->reserved); }

}  // namespace poold::worker
