// A map while its items arrive, run and end.
//
// Role: which items are to be sent, which are done, where their bytes lie, whose outcomes are still wanted. Non-role:
// decides nothing about workers. Errors: none; its callers check.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/dropped.h"
#include "core/handle.h"

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
  TaskState intent = TaskState::kUnspecified;  // of its present item
  bool out_of_time = false;
  std::unique_ptr<ItemTails> tails;  // null: it wrote nothing so far
  bool spoke = false;                // some item of it wrote something
};

struct ItemRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size() const { return end - begin; }
};

// Disjoint ranges of items, neighbours joined.
class ItemRanges {
 public:
  void Add(ItemRange range);
  bool Covers(ItemRange range) const;
  bool empty() const { return ranges_.empty(); }
  std::size_t size() const { return ranges_.size(); }
  std::uint64_t front() const { return ranges_.begin()->first; }
  // Takes up to `most` items from the front. REQUIRES: not empty.
  ItemRange TakeFront(std::uint64_t most);
  void Clear() { ranges_.clear(); }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin -> end
};

// An item that is tried again, or waits for that.
struct ItemRetry {
  MapRun* map = nullptr;
  std::uint64_t index = 0;
  std::uint32_t attempt = 0;  // made so far
  std::uint8_t deaths = 0;
  bool waiting = false;  // for its pause to pass
  TimerId timer = kNoTimer;
};

struct MapRun : Handle {
  MapRun() : Handle(NodeKind::kMap) {}

  // Bytes and slices of items that have arrived.
  void Append(std::shared_ptr<const ItemColumn> column, std::uint64_t skip, Nanos now);
  std::vector<ItemSlice> Slices(std::uint64_t begin, std::uint64_t count) const;
  std::uint64_t BytesOf(std::uint64_t begin, std::uint64_t count) const;
  // When the item arrived.
  Nanos ArrivedAt(std::uint64_t index) const;
  void AddChunk(Chunk* chunk);
  void RemoveChunk(Chunk* chunk);
  // The arguments of these are no longer needed here.
  void NoteDone(ItemRange range, Dropped* dropped);
  // It has an outcome. REQUIRES: index < items, nobody released the map.
  bool IsDone(std::uint64_t index) const;

  // Items to send: those that come again first. REQUIRES for TakeItems: ready_items() > 0.
  std::uint64_t ready_items() const { return again_items + (items - next_fresh); }
  // How often the items that come next may have been started.
  std::uint32_t NextAttempts() const;
  // The retry of an item that comes next and was tried before; null for items of a plain chunk.
  ItemRetry* NextRetry() const;
  ItemRange TakeItems(std::uint64_t most);
  // The item that TakeItems would begin with. REQUIRES: ready_items() > 0.
  std::uint64_t OldestReady() const;
  // The end of the column of this item.
  std::uint64_t ColumnEnd(std::uint64_t index) const;
  // `attempts`: how often they may have been started.
  void GiveBack(ItemRange range, std::uint32_t attempts);

  struct Column {
    std::uint64_t first = 0;  // index of its first item
    std::uint64_t skip = 0;   // items at its start that had come before
    std::uint64_t count = 0;
    std::uint64_t left = 0;  // items that are not done
    Nanos arrived_at = 0;
    std::shared_ptr<const ItemColumn> items;
    std::vector<std::uint64_t> offsets;  // of every kStride-th item
  };
  static constexpr std::uint64_t kStride = 64;  // a chunk may have few items: no long walk to the first of them

  // Of items that are not done: a column goes when its last item is.
  std::map<std::uint64_t, Column> columns;  // by their first item
  Encoding encoding = Encoding::kUnspecified;
  std::shared_ptr<const std::string> type_name;
  std::uint32_t chunk_size = 0;
  bool fail_fast = false;
  bool complete = false;
  bool cut = false;     // nothing more of it is sent: cancelled, or an item failed and it was to end then
  bool closed = false;  // its pool closed, or its client left, while it was incomplete: it ends with what it has
  TimerId orphan_timer = kNoTimer;  // its client is absent, and it is not complete

  std::uint64_t items = 0;
  std::uint64_t next_fresh = 0;
  std::uint64_t again_items = 0;
  ItemRanges again;
  std::map<std::uint64_t, std::unique_ptr<ItemRetry>> retries;
  std::vector<std::uint64_t> retries_ready;
  // Parts of chunks that died with a worker that has no claim page: sent by themselves, the last one next.
  struct Split {
    ItemRange range;
    std::uint32_t attempts = 0;  // that may have been made
  };
  std::vector<Split> splits;
  std::uint64_t waiting_items = 0;  // for their pause to pass
  std::vector<Chunk*> chunks;       // with workers, in no order

  std::uint64_t done_items = 0;
  std::uint64_t unsuccessful_items = 0;
  std::uint64_t cancelled_items = 0;

  // Outcomes that are still needed, and the arguments of items that did not succeed.
  struct KeptBlock {
    ItemBlockPtr block;
    std::uint64_t arrival = 0;
  };
  std::map<std::uint64_t, KeptBlock> blocks;  // by their first item
  std::uint64_t arrivals = 0;
  std::map<std::uint64_t, Bytes> kept_args;
  ItemRanges consumed;
  Nanos not_before = 0;
  Nanos ended_at = 0;
  std::uint64_t kept_bytes = 0;  // counted as kept
  std::size_t place_in_pool = 0;

 private:
  const Column& ColumnOf(std::uint64_t index) const;
  static std::uint64_t OffsetOf(const Column& column, std::uint64_t place);
};

}  // namespace poold::core
