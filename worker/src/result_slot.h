// ResultSlot: the place of a large result: a slot of an arena, which the daemon reads without a copy.
//
// Role: makes the arenas of its worker and announces them.
// Threads: not thread-safe; the worker's own thread. REQUIRES, up to Take: the OutcomeWriter's lock is not held,
//   because a new arena is announced through its channel.
// Ownership: owns neither channel nor writer.
#pragma once

#include <cstdint>
#include <optional>

#include "channel.h"
#include "outcome_writer.h"
#include "poold/worker/call.h"
#include "wire/arena_maker.h"
#include "wire/outcome_ring.h"

namespace poold::worker {

class ResultSlot : public ResultRoom {
 public:
  // For results of up to `most_bytes` bytes; 0: for none.
  ResultSlot(Channel* channel, OutcomeWriter* outcomes, std::uint64_t most_bytes);

  // Call before a task. `may`: its result may lie in an arena.
  void Open(bool may) {
    if (taken_) Abandon();
    open_ = may;
  }
  // As ResultRoom::Take. Null: the result is too small or too large, or the arenas have no room.
  char* Take(std::size_t bytes) override;
  // Whether the task's result has a slot.
  bool taken() const { return taken_.has_value(); }
  // Returns the slot of the result, for the record that tells the daemon. REQUIRES: taken().
  wire::ResultPlace Finish();
  // Frees the slot, because there is no result. REQUIRES: taken().
  void Abandon();

 private:
  struct Taken {
    wire::ArenaMaker::Reserved reserved;
    std::size_t bytes = 0;
  };

  Channel* const channel_;
  OutcomeWriter* const outcomes_;
  wire::ArenaMaker maker_;
  std::uint32_t arenas_sent_ = 0;
  const std::uint64_t most_bytes_;
  bool open_ = false;
  std::optional<Taken> taken_;
};

}  // namespace poold::worker
