// The items of one map, from their arrival until they are done: where their bytes lie, which are sent next, and which
// are tried again.
//
// An item is fresh until it was sent. What comes back was either not begun (again), may have been begun on a worker
// that has no claim page (a split), or has failed and is tried again (a retry, which waits for its pause first).
// Role: as above. Non-role: knows no worker and no pool, and keeps no outcome: item_outcomes.h.
// Invariants (Check): the items that come next are those that came back and those that are fresh; a retry waits, or
// is ready, or is with a worker.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/dropped.h"
#include "core/map/item_ranges.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

struct MapRun;  // this room hands it back, and never looks into it

// An item that is tried again, or waits for that. Only MapItems changes it.
struct ItemRetry {
  MapRun* map = nullptr;
  std::uint64_t index = 0;
  std::uint32_t attempt = 0;  // made so far
  std::uint8_t deaths = 0;    // of workers, under it
  bool waiting = false;       // for its pause to pass
  TimerId timer = kNoTimer;   // of its owner: when the pause has passed
};

// A task or an item under which so many workers died is not tried again.
inline constexpr std::uint8_t kMostDeaths = 3;

class MapItems {
 public:
  explicit MapItems(MapRun* map) : map_(map) {}

  // ---- What arrives ----
  // `skip`: items at the column's start that had come before.
  void Append(std::shared_ptr<const ItemColumn> column, std::uint64_t skip, Nanos now);
  // That have arrived.
  std::uint64_t arrived() const { return items_; }
  // REQUIRES, all: the items are not done.
  std::vector<ItemSlice> Slices(std::uint64_t begin, std::uint64_t count) const;
  std::uint64_t BytesOf(std::uint64_t begin, std::uint64_t count) const;
  Nanos ArrivedAt(std::uint64_t index) const { return ColumnOf(index).arrived_at; }
  // The end of what arrived together with this item.
  std::uint64_t ColumnEnd(std::uint64_t index) const;

  // ---- What is sent next: what comes again first ----
  std::uint64_t ready() const { return again_items_ + (items_ - next_fresh_); }
  // REQUIRES, all: ready() > 0. How often what comes next may have been started.
  std::uint32_t NextAttempts() const;
  // It is one item that has failed before: sent alone.
  bool NextIsRetry() const { return !retries_ready_.empty(); }
  // If it is a part of a chunk that is sent by itself: how many items; else 0.
  std::uint64_t NextSplit() const { return splits_.empty() ? 0 : splits_.back().range.size(); }
  // The first item of what Take takes.
  std::uint64_t NextItem() const;
  ItemRange Take(std::uint64_t most);
  // Was taken, and did not end. `attempts`: how often these items may have been started.
  void GiveBack(ItemRange range, std::uint32_t attempts);

  // ---- What is tried again ----
  // The item has failed at this attempt, by the death of its worker or otherwise. Returns its retry, which waits until
  // RetryDue; null: it had its `most_attempts`, or too many deaths.
  ItemRetry* Retry(std::uint64_t index, std::uint32_t attempt, std::uint32_t most_attempts, bool death);
  void RetryDue(ItemRetry& retry);
  // The item has ended. Nothing happens if it was not tried again, or waits.
  void DropRetry(std::uint64_t index);
  // One that is tried again; null if there is none.
  ItemRetry* AnyRetry() const { return retries_.empty() ? nullptr : retries_.begin()->second.get(); }
  // It is not tried again, though it waits, perhaps.
  void ForgetRetry(ItemRetry& retry) {
    waiting_items_ -= retry.waiting;
    retries_.erase(retry.index);
  }
  std::uint64_t waiting() const { return waiting_items_; }
  // So many workers died under it that it is not tried again.
  bool IsPoison(std::uint64_t index) const;

  // ---- What ends ----
  // These have an outcome: their bytes are no longer needed here.
  void NoteDone(ItemRange range, std::uint64_t unsuccessful, Dropped* dropped);
  // So many ended without an outcome.
  void NoteCancelled(std::uint64_t items) { cancelled_items_ += items; }
  // Nothing more is sent, and no bytes are looked for.
  void DropBytes(Dropped* dropped) {
    if (!columns_.empty()) dropped->AddWhole(std::exchange(columns_, {}));
  }
  std::uint64_t done() const { return done_items_; }
  std::uint64_t unsuccessful() const { return unsuccessful_items_; }
  std::uint64_t cancelled() const { return cancelled_items_; }

  // Entries that it has in memory.
  std::size_t entries() const { return columns_.size() + retries_.size() + splits_.size() + again_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  // What arrived together. It goes when the last of its items is done.
  struct Column {
    std::uint64_t first = 0;  // index of its first item
    std::uint64_t skip = 0;   // items at its start that had come before
    std::uint64_t count = 0;
    std::uint64_t left = 0;  // items that are not done
    Nanos arrived_at = 0;
    std::shared_ptr<const ItemColumn> items;
    std::vector<std::uint64_t> offsets;  // of every kStride-th item
  };
  // Of a chunk that died with a worker that has no claim page.
  struct Split {
    ItemRange range;
    std::uint32_t attempts = 0;  // that may have been made
  };
  static constexpr std::uint64_t kStride = 64;  // a chunk may have few items: no long walk to the first of them

  const Column& ColumnOf(std::uint64_t index) const;
  static std::uint64_t OffsetOf(const Column& column, std::uint64_t place);

  MapRun* const map_;
  std::map<std::uint64_t, Column> columns_;  // by their first item
  std::uint64_t items_ = 0;
  std::uint64_t next_fresh_ = 0;
  std::uint64_t again_items_ = 0;  // in the three that follow
  ItemRanges again_;
  std::vector<Split> splits_;                 // the last one next
  std::vector<std::uint64_t> retries_ready_;  // their items, the last one next
  std::map<std::uint64_t, std::unique_ptr<ItemRetry>> retries_;
  std::uint64_t waiting_items_ = 0;
  std::uint64_t done_items_ = 0;
  std::uint64_t unsuccessful_items_ = 0;  // of them
  std::uint64_t cancelled_items_ = 0;
};

}  // namespace poold::core
