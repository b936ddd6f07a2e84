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

namespace poold::core {

struct Worker;
struct MapRun;

// What the present item of a chunk wrote.
struct ItemTails {
  std::string stdout_tail;
  std::string stderr_tail;
};

// Items that one worker has.
struct Chunk : Node {
  Chunk() : Node(NodeKind::kChunk) {}
  std::uint32_t slot = 0;  // of the slab
  MapRun* map = nullptr;
  Worker* worker = nullptr;
  std::uint64_t token = 0;
  std::size_t place_in_map = 0;
  std::uint64_t begin = 0;  // absolute
  std::uint32_t count = 0;  // less what was taken back
  std::uint32_t done = 0;
  std::uint32_t attempt = 1;
  std::uint32_t estimate = 0;  // of one item
  Nanos sent_at = 0;
  Nanos item_since = 0;  // when its present item began, as far as is known
  TimerId timer = kNoTimer;
  Life<ChunkLife> life{ChunkLife::kSent};
  std::unique_ptr<ItemTails> tails;  // null: it wrote nothing so far
  bool spoke = false;                // some item of it wrote something
};

struct MapRun : Handle {
  MapRun() : Handle(NodeKind::kMap), items(this) {}

  MapItems items;
  ItemOutcomes outcomes;
  Encoding encoding = Encoding::kUnspecified;    // of the items,
  std::shared_ptr<const std::string> type_name;  // as in Payload
  std::uint32_t chunk_size = 0;                  // that its client asked for; 0: automatic
  bool fail_fast = false;
  Life<MapLife> life{MapLife::kOpen};
  bool complete = false;            // its client has said so: no more items come
  TimerId orphan_timer = kNoTimer;  // its client is absent, and it is not complete
  std::vector<Chunk*> chunks;       // with workers, in no order
  Nanos not_before = 0;
  Nanos ended_at = 0;
  std::uint64_t kept_bytes = 0;  // of its outcomes and arguments, counted as kept
  std::size_t place_in_pool = 0;

  bool cut() const { return IsCut(life); }
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
