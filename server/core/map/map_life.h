// The life cycles of a map, and of a chunk of its items that one worker has.
#pragma once

#include <cstdint>

#include "core/life.h"
#include "core/types.h"

namespace poold::core {

enum class MapLife : std::uint8_t {
  kOpen,      // takes items until its client says that it is complete
  kClosed,    // its pool closed, or its client left, before it was complete: ends with the items that it has
  kCut,       // cancelled, or an item failed and it was to end then: ends with what has begun
  kEnded,     // all its items have ended
  kEndedCut,  // what had begun when it was cut has ended
};

inline constexpr Transition<MapLife> kMapTransitions[] = {
    {MapLife::kOpen, MapLife::kClosed}, {MapLife::kOpen, MapLife::kCut},     {MapLife::kOpen, MapLife::kEnded},
    {MapLife::kClosed, MapLife::kCut},  {MapLife::kClosed, MapLife::kEnded}, {MapLife::kCut, MapLife::kEndedCut},
};

using MapLives = LifeCycle<kMapTransitions>;

constexpr bool HasEnded(MapLife life) { return life >= MapLife::kEnded; }
// Nothing more of it is, or will be, sent.
constexpr bool IsCut(MapLife life) { return life == MapLife::kCut || life == MapLife::kEndedCut; }

// A chunk lives as long as its worker has some of its items.
enum class ChunkLife : std::uint8_t {
  kSent,        // runs, or comes after what runs there
  kCancelling,  // its worker is killed, or will be when the chunk comes to its front: what is left ends CANCELLED
  kTimingOut,   // its worker is killed since the present item is over run_timeout; the item may be tried again
  kOutOfTime,   // its worker is killed since the present item is over total_timeout
};

inline constexpr Transition<ChunkLife> kChunkTransitions[] = {
    {ChunkLife::kSent, ChunkLife::kCancelling},
    {ChunkLife::kSent, ChunkLife::kTimingOut},
    {ChunkLife::kSent, ChunkLife::kOutOfTime},
    {ChunkLife::kTimingOut, ChunkLife::kSent},  // the item came back after all
    {ChunkLife::kOutOfTime, ChunkLife::kSent},
};

using ChunkLives = LifeCycle<kChunkTransitions>;

// What was decided: the item that runs ends as this. kUnspecified: nothing.
constexpr TaskState DecidedEnd(ChunkLife life) {
  if (life == ChunkLife::kCancelling) return TaskState::kCancelled;
  return life == ChunkLife::kSent ? TaskState::kUnspecified : TaskState::kTimedOut;
}

}  // namespace poold::core
