// The life cycles of a map, and of a chunk of its items that one worker has.
//
// Only MapCourse moves them; transitions say which event leads to them. Clients see MapView::done from kEnded on.
#pragma once

#include <cstdint>

#include "core/life.h"
#include "core/types.h"

namespace poold::core {

// A map.
enum class MapLife : std::uint8_t {
  // Takes items until its client says that it is complete.
  kOpen,
  // Its pool closed, or its client was away for too long, before it was complete: ends with the items that it has.
  kClosed,
  // Cancelled, or an item failed and fail_fast was set: nothing more is sent, and it ends with what has begun.
  kCut,
  // All its items have an outcome.
  kEnded,
  // What had begun when it was cut has ended; the rest has no outcome of its own.
  kEndedCut,
};

// A close of the pool, or a client that stays away, closes a map; a cancel, an item that failed and the end of the pool
// cut it; it ends with the last of its items, or with what had begun.
inline constexpr Transition<MapLife> kMapTransitions[] = {
    {MapLife::kOpen, MapLife::kClosed}, {MapLife::kOpen, MapLife::kCut},     {MapLife::kOpen, MapLife::kEnded},
    {MapLife::kClosed, MapLife::kCut},  {MapLife::kClosed, MapLife::kEnded}, {MapLife::kCut, MapLife::kEndedCut},
};

using MapLives = LifeCycle<kMapTransitions>;

constexpr bool HasEnded(MapLife life) { return life >= MapLife::kEnded; }
// Nothing more of the map is, or will be, sent.
constexpr bool IsCut(MapLife life) { return life == MapLife::kCut || life == MapLife::kEndedCut; }

// A chunk, which lives as long as its worker has some of its items.
enum class ChunkLife : std::uint8_t {
  // The worker runs it, or will after what it runs.
  kSent,
  // Its worker is killed, now or when the chunk is its present one: what is left ends CANCELLED.
  kCancelling,
  // Its worker is killed since the present item is over run_timeout; the item may be tried again.
  kTimingOut,
  // Its worker is killed since the present item is over total_timeout.
  kOutOfTime,
};

inline constexpr Transition<ChunkLife> kChunkTransitions[] = {
    // OnCancel of the map with `running`.
    {ChunkLife::kSent, ChunkLife::kCancelling},
    // Its timer: run_timeout.
    {ChunkLife::kSent, ChunkLife::kTimingOut},
    // Its timer: total_timeout.
    {ChunkLife::kSent, ChunkLife::kOutOfTime},
    // OnItemResults: the item that was too late came back after all.
    {ChunkLife::kTimingOut, ChunkLife::kSent},
    {ChunkLife::kOutOfTime, ChunkLife::kSent},
};

using ChunkLives = LifeCycle<kChunkTransitions>;

// The end that was decided for the item that runs; kUnspecified: none was.
constexpr TaskState DecidedEnd(ChunkLife life) {
  if (life == ChunkLife::kCancelling) return TaskState::kCancelled;
  return life == ChunkLife::kSent ? TaskState::kUnspecified : TaskState::kTimedOut;
}

}  // namespace poold::core
