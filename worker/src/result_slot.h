// Where the large result of the task that runs is written: a slot of an arena, which the daemon reads as it lies there.
//
// Role: makes the arenas of its worker and announces them. Not thread-safe: the worker's own thread. REQUIRES, down to
// Take: Outcomes are not held, since a new arena is announced through their channel. Owns neither.
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
  // For results up to so many bytes; 0: none.
  ResultSlot(Channel* channel, OutcomeWriter* outcomes, std::uint64_t most_bytes);

  // Before a task: whether its result may lie in an arena.
  void Open(bool may) {
    if (taken_) Abandon();
    open_ = may;
  }
  // Null: too little, too much, or there is no room in arenas.
  char* Take(std::size_t bytes) override;
  bool taken() const { return taken_.has_value(); }
  // Where the result lies, of which the daemon is told now. REQUIRES: taken.
  wire::ResultPlace Finish();
  // REQUIRES: taken. There is no result after all: it is free again.
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
