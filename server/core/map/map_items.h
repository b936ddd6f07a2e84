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
  // Attempts that were made so far.
  std::uint32_t attempt = 0;
  // Workers that died under the item.
  std::uint8_t deaths = 0;
  // The item waits for its pause to pass; it counts as queued.
  bool waiting = false;
  // Set by the owner for the end of the pause (TimerKind::kItemRetry).
  TimerId timer = kNoTimer;
};

// A task or an item under which so many workers died is not tried again.
inline constexpr std::uint8_t kMostDeaths = 3;

class MapItems {
 public:
  explicit MapItems(MapRun* map) : map_(map) {}

  // ---- What arrives ----
  // Takes items. `skip`: items at the column's start that had come before.
  void Append(std::shared_ptr<const ItemColumn> column, std::uint64_t skip, Nanos now);
  // Items that have arrived.
  std::uint64_t arrived() const { return items_; }
  // The bytes of these items. REQUIRES, as the two that follow: the items have arrived and are not done.
  std::vector<ItemSlice> Slices(std::uint64_t begin, std::uint64_t count) const;
  std::uint64_t BytesOf(std::uint64_t begin, std::uint64_t count) const;
  Nanos ArrivedAt(std::uint64_t index) const { return ColumnOf(index).arrived_at; }
  // The end of what arrived together with this item.
  std::uint64_t ColumnEnd(std::uint64_t index) const;

  // ---- What is sent next: what comes again first ----
  std::uint64_t ready() const { return again_items_ + (items_ - next_fresh_); }
  // REQUIRES, all: ready() > 0. How often what comes next may have been started.
  std::uint32_t NextAttempts() const;
  // Whether the next one is an item that has failed before: it is sent alone.
  bool NextIsRetry() const { return !retries_ready_.empty(); }
  // How many items the next part of a split chunk has, which is sent by itself; 0: the next one is no such part.
  std::uint64_t NextSplit() const { return splits_.empty() ? 0 : splits_.back().range.size(); }
  // The first item of what Take takes.
  std::uint64_t NextItem() const;
  // Takes up to `most` neighbouring items that come next. REQUIRES: ready() > 0.
  ItemRange Take(std::uint64_t most);
  // Items that were taken did not end. `attempts`: how often they may have been started.
  void GiveBack(ItemRange range, std::uint32_t attempts);

  // ---- What is tried again ----
  // The item has failed at this attempt, by the death of its worker or otherwise. Returns its retry, which waits until
  // RetryDue; null: it had its `most_attempts`, or too many deaths.
  ItemRetry* Retry(std::uint64_t index, std::uint32_t attempt, std::uint32_t most_attempts, bool death);
  void RetryDue(ItemRetry& retry);
  // The item has ended. Nothing happens if it was not tried again, or waits.
  void DropRetry(std::uint64_t index);
  // An item that is tried again; null: there is none.
  ItemRetry* AnyRetry() const { return retries_.empty() ? nullptr : retries_.begin()->second.get(); }
  // The item is not tried again, though it waits, perhaps.
  void ForgetRetry(ItemRetry& retry) {
    waiting_items_ -= retry.waiting;
    retries_.erase(retry.index);
  }
  // Items that wait for a pause to pass.
  std::uint64_t waiting() const { return waiting_items_; }
  // Whether so many workers died under the item that it is not tried again.
  bool IsPoison(std::uint64_t index) const;

  // ---- What ends ----
  // These items have an outcome: their bytes are no longer needed here.
  void NoteDone(ItemRange range, std::uint64_t unsuccessful, Dropped* dropped);
  // So many items ended without an outcome.
  void NoteCancelled(std::uint64_t items) { cancelled_items_ += items; }
  // Gives all bytes up. REQUIRES: nothing more is sent, and no bytes are asked for.
  void DropBytes(Dropped* dropped) {
    if (!columns_.empty()) dropped->AddWhole(std::exchange(columns_, {}));
  }
  // Items with an outcome, and those of them that did not succeed.
  std::uint64_t done() const { return done_items_; }
  std::uint64_t unsuccessful() const { return unsuccessful_items_; }
  // Items that ended without an outcome.
  std::uint64_t cancelled() const { return cancelled_items_; }

  // Entries that it has in memory.
  std::size_t entries() const { return columns_.size() + retries_.size() + splits_.size() + again_.size(); }
  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  // Items that arrived together. Their bytes go when the last of them is done.
  struct Column {
    // Index in the map of its first item.
    std::uint64_t first = 0;
    // Items at the column's start that had come before.
    std::uint64_t skip = 0;
    std::uint64_t count = 0;
    // Items that are not done.
    std::uint64_t left = 0;
    Nanos arrived_at = 0;
    std::shared_ptr<const ItemColumn> items;
    // Places in the data of every kStride-th item.
    std::vector<std::uint64_t> offsets;
  };
  // A part of a chunk that died with a worker that has no claim page.
  struct Split {
    ItemRange range;
    // Attempts of these items that may have been made.
    std::uint32_t attempts = 0;
  };
  static constexpr std::uint64_t kStride = 64;  // a chunk may have few items: no long walk to the first of them

  const Column& ColumnOf(std::uint64_t index) const;
  static std::uint64_t OffsetOf(const Column& column, std::uint64_t place);

  MapRun* const map_;
  std::map<std::uint64_t, Column> columns_;  // by their first item
  // Items that have arrived.
  std::uint64_t items_ = 0;
  // The first item that was never sent.
  std::uint64_t next_fresh_ = 0;
  // Items in the three lists that follow.
  std::uint64_t again_items_ = 0;
  ItemRanges again_;
  // The last one is next.
  std::vector<Split> splits_;
  // Items whose pause is over; the last one is next.
  std::vector<std::uint64_t> retries_ready_;
  std::map<std::uint64_t, std::unique_ptr<ItemRetry>> retries_;
  std::uint64_t waiting_items_ = 0;
  std::uint64_t done_items_ = 0;
  std::uint64_t unsuccessful_items_ = 0;  // of them
  std::uint64_t cancelled_items_ = 0;
};

}  // namespace poold::core
