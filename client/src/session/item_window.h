// ItemWindow: items of a map on their way to a daemon that may refuse them for want of room. The window keeps each item
// until the daemon has taken the item.
//
// Role: tells which items are sent next, which are under way, where to continue after a refusal, and how many items the
//   next group may have. The daemon takes a group whole or not at all: after a refusal half as many items are under
//   way, after a success twice as many.
// Thread safety: none; guarded by the session's lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "poold/client/connection.h"

namespace poold::client::internal {

class ItemWindow {
 public:
  // Appends items. The batch is copied.
  void Push(const MapBatch& batch);
  // Returns the next items to send, at most 4096 items or 256 KiB; `complete` with the last. Each item comes once,
  // until a Rewind. The views are valid until the next Push, Acknowledge or Rewind. REQUIRES: has_next().
  MapBatch Next();
  // The items of the last Next left in this batch.
  void NoteSent(std::uint64_t batch) { under_way_.push_back({next_, batch, told_complete_}); }

  // The daemon has taken or refused everything that left up to this batch: forgets items that it has taken.
  void Acknowledge(std::uint64_t batch);
  // The daemon has the items before `index` and refused the next: the items from there on are sent again. `fewer`: for
  // want of room, so fewer at a time.
  void Rewind(std::uint64_t index, bool fewer);

  // Whether items, or the end of the map, may be sent now.
  bool has_next() const {
    if (next_ == end()) return complete_ && !told_complete_;
    return !narrow_ || next_ - first_ < most_items_;
  }
  // Whether the daemon has all items and the end of the map.
  bool all_taken() const { return first_ == end() && complete_ && told_complete_ && under_way_.empty(); }
  // The first item that the daemon is not known to have.
  std::uint64_t first() const { return first_; }
  // The first item that was not sent.
  std::uint64_t next() const { return next_; }
  // The item behind the last one that was pushed.
  std::uint64_t end() const { return first_ + (lengths_.size() - begin_); }
  // The memory that the kept items take.
  std::uint64_t bytes() const {
    return items_.size() - begin_bytes_ + (lengths_.size() - begin_) * sizeof(std::uint32_t);
  }

 private:
  // Items up to `end` that left in `batch`.
  struct Group {
    std::uint64_t end = 0;
    std::uint64_t batch = 0;
    bool complete = false;
  };
  static constexpr std::uint32_t kMostItems = 4096;
  static constexpr std::uint64_t kMostBytes = 256 << 10;

  void DropBefore(std::uint64_t index);

  // The items from first_ on, in bytes and lengths, behind begin_bytes_ and begin_.
  std::vector<std::uint32_t> lengths_;
  std::string items_;
  std::size_t begin_ = 0;
  std::size_t begin_bytes_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  // The place of next_ in items_.
  std::size_t next_bytes_ = 0;
  // After a refusal, until groups are taken again for a while: at most most_items_ items are under way.
  bool narrow_ = false;
  std::uint32_t most_items_ = kMostItems;
  bool complete_ = false;
  bool told_complete_ = false;
  std::deque<Group> under_way_;
};

}  // namespace poold::client::internal
