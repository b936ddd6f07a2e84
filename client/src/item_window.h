// Items of a map on their way to a daemon that may refuse them for want of room: kept until it has taken them.
//
// Role: what is to be sent, what is under way, where to go on after a refusal, and how many items the next group may
// have (a group is taken whole or not at all: after a refusal half as many are under way, twice as many when they were
// taken). Thread safety: none; guarded by the session's lock.
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
  void Push(const MapBatch& batch);
  // Some of what is to be sent; `complete` with the last. Views are valid until the next Push or Taken. Not again
  // before a Rewind. REQUIRES: has_next().
  MapBatch Next();
  // It left in this batch.
  void NoteSent(std::uint64_t batch) { under_way_.push_back({next_, batch, told_complete_}); }

  // The daemon has everything that left up to this batch.
  void Acknowledge(std::uint64_t batch);
  // The daemon has the items before this one, and refused the next.
  void Rewind(std::uint64_t index, bool fewer);

  bool has_next() const {
    if (next_ == end()) return complete_ && !told_complete_;
    return !narrow_ || next_ - first_ < most_items_;
  }
  bool all_taken() const { return first_ == end() && complete_ && told_complete_ && under_way_.empty(); }
  // The first item that the daemon is not known to have, and the first one that is to be sent.
  std::uint64_t first() const { return first_; }
  std::uint64_t next() const { return next_; }
  std::uint64_t end() const { return first_ + (lengths_.size() - begin_); }
  std::uint64_t bytes() const {
    return items_.size() - begin_bytes_ + (lengths_.size() - begin_) * sizeof(std::uint32_t);
  }

 private:
  struct Group {
    std::uint64_t end = 0;
    std::uint64_t batch = 0;
    bool complete = false;
  };
  static constexpr std::uint32_t kMostItems = 4096;
  static constexpr std::uint64_t kMostBytes = 256 << 10;

  void DropBefore(std::uint64_t index);

  // Items first_ and on lie behind begin_ and begin_bytes_.
  std::vector<std::uint32_t> lengths_;
  std::string items_;
  std::size_t begin_ = 0;
  std::size_t begin_bytes_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  std::size_t next_bytes_ = 0;  // in items_
  // After a refusal, until all goes well for a while: no more than most_items_ are under way.
  bool narrow_ = false;
  std::uint32_t most_items_ = kMostItems;
  bool complete_ = false;
  bool told_complete_ = false;
  std::deque<Group> under_way_;
};

}  // namespace poold::client::internal
