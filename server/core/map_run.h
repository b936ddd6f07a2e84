// A map as a handle, and the chunks of its items that workers have. Its items and their outcomes: core/map.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/handle.h"
#include "core/map/item_outcomes.h"
#include "core/map/map_items.h"
#include "core/map/map_life.h"
#include "core/map/open_maps.h"
#include "core/outcome/client_quota.h"

namespace poold::core {

struct Worker;
struct MapRun;

// The output of the present item of a chunk, until its outcome comes.
struct ItemTails {
  std::string stdout_tail;
  std::string stderr_tail;
};

// Neighbouring items of a map that one worker has. The scheduler makes and ends it; MapCourse moves its life.
struct Chunk : Node {
  Chunk() : Node(NodeKind::kChunk) {}
  // Set by the slab that it lies in.
  std::uint32_t slot = 0;
  MapRun* map = nullptr;
  Worker* worker = nullptr;
  // Of its attempt; never 0.
  std::uint64_t token = 0;
  // Index into MapRun::chunks.
  std::size_t place_in_map = 0;
  // Index in the map of its first item.
  std::uint64_t begin = 0;
  // Items of the chunk; those that were taken back, from its end, are not counted any more.
  std::uint32_t count = 0;
  // Items that came back, from the front.
  std::uint32_t done = 0;
  // The attempt of each of its items, from 1.
  std::uint32_t attempt = 1;
  // Nanoseconds of one item, as known when the chunk was sent; 0: its function was not measured.
  std::uint32_t estimate = 0;
  Nanos sent_at = 0;
  // When its present item began, as far as is known: the arrival of the result before it, or when the chunk became the
  // first one of its worker.
  Nanos item_since = 0;
  // Limits of time of the present item (TimerKind::kChunk).
  TimerId timer = kNoTimer;
  Life<ChunkLife> life{ChunkLife::kSent};
  // Null: the present item wrote nothing so far.
  std::unique_ptr<ItemTails> tails;
  // Some item of the chunk wrote something, so the worker's last words may be another item's.
  bool spoke = false;
};

// A map. Its life cycle: map/map_life.h.
struct MapRun : Handle {
  MapRun() : Handle(NodeKind::kMap), items(this), open(this), keeping(this) {}

  // Its items from their arrival until they are done.
  MapItems items;
  // The outcomes of items that are done, until they are consumed.
  ItemOutcomes outcomes;
  // Of all items, like `type_name`.
  Encoding encoding = Encoding::kUnspecified;
  // As in Payload.
  std::shared_ptr<const std::string> type_name;
  // Items of a chunk, as the client asked for; 0: the scheduler chooses.
  std::uint32_t chunk_size = 0;
  // The first item that does not succeed cuts the map.
  bool fail_fast = false;
  Life<MapLife> life{MapLife::kOpen};
  // The client has said that no more items come.
  bool complete = false;
  // Linked while more items may come.
  OpenMap open;
  // Linked while the map runs and something of it is kept.
  KeepsAndRuns keeping;
  // Chunks that are with workers, in no order: Chunk::place_in_map.
  std::vector<Chunk*> chunks;
  // The moment before which nothing of it is sent (start_delay); 0: none.
  Nanos not_before = 0;
  // 0 until it has ended.
  Nanos ended_at = 0;
  // Bytes of its outcomes and kept arguments that count as kept.
  std::uint64_t kept_bytes = 0;
  // Items whose outcomes are kept.
  std::uint64_t kept_items = 0;
  // Index into Pool::maps, until the map has ended.
  std::size_t place_in_pool = 0;

  // Nothing more of the map is sent.
  bool cut() const { return IsCut(life); }
  // Both keep `place_in_map` of each chunk right.
  void AddChunk(Chunk* chunk) {
    chunk->place_in_map = chunks.size();
    chunks.push_back(chunk);
  }
  void RemoveChunk(Chunk* chunk) {
    Chunk* const last = chunks.back();
    chunks[chunk->place_in_map] = last;
    last->place_in_map = chunk->place_in_map;
    chunks.pop_back();
  }
};

}  // namespace poold::core
