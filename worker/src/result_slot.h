// The place of the large result of the task that runs: a slot of an arena, which the daemon reads as it lies there.
//
// Role: makes the arenas of its worker and announces them. Threads: the worker's own. REQUIRES for Take: the
// OutcomeWriter is not held, since a new arena is announced through its channel. Does not own channel and writer.
// Order: Open for each task, then Take at most once, then Finish or Abandon if it was taken.
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
  // `most_bytes`: a larger result gets no slot; 0: no result does.
  ResultSlot(Channel* channel, OutcomeWriter* outcomes, std::uint64_t most_bytes);

  // Before a task: whether its result may lie in an arena.
  void Open(bool may) {
    if (taken_) Abandon();
    open_ = may;
  }
  // Memory for a result of so many bytes, valid until Finish or Abandon. Null: too little, too much, or there is no
  // room in arenas; the result then goes through the ring.
  char* Take(std::size_t bytes) override;
  bool taken() const { return taken_.has_value(); }
  // Where the result lies, of which the daemon is told now. REQUIRES: taken.
  wire::ResultPlace Finish();
  // REQUIRES: taken. There is no result after all: the slot is free again.
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
