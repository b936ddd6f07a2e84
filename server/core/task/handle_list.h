// Every handle that can be named, in the order of submission.
//
// Role: a place for each, which only grows, so that a list that is read in pages neither repeats nor skips a handle
// while others come and go. Non-role: owns no handle. Memory is that of the handles that are in it: 8 bytes each, in
// blocks that go when the last one of them goes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

namespace poold::core {

struct Handle;

// Neighbours in the order of submission.
struct HandleBlock {
  static constexpr std::uint32_t kPlaces = 64;
  // Place in the list of handles[0].
  std::uint64_t first = 0;
  // Places that were given out, from the front.
  std::uint32_t used = 0;
  // Handles that are still there; the block goes when none is left.
  std::uint32_t live = 0;
  Handle* handles[kPlaces] = {};
};

class HandleList {
 public:
  void Append(Handle* handle);
  // Takes the handle out; nothing happens if it is in no list.
  void Remove(Handle* handle);
  // The place of the handle, counted from 1. REQUIRES: it is in the list.
  static std::uint64_t PlaceOf(const Handle& handle);

  // Visits the handles from the place `from` on while `visit` returns true; returns the place to go on from (of the one
  // that was refused), 0 behind the last one.
  template <typename Visit>
  std::uint64_t Walk(std::uint64_t from, Visit&& visit) const {
    auto at = blocks_.upper_bound(from);
    if (at != blocks_.begin()) --at;
    for (; at != blocks_.end(); ++at) {
      const HandleBlock& block = *at->second;
      for (std::uint64_t i = from > block.first ? from - block.first : 0; i < block.used; ++i) {
        if (block.handles[i] != nullptr && !visit(*block.handles[i])) return block.first + i;
      }
    }
    return 0;
  }
  // Of the handle that comes next.
  std::uint64_t next_place() const { return next_; }
  std::size_t blocks() const { return blocks_.size(); }

 private:
  std::map<std::uint64_t, std::unique_ptr<HandleBlock>> blocks_;  // by their first place
  // The block that gets the next handle; null: a new one is made.
  HandleBlock* last_ = nullptr;
  // The place of the next handle.
  std::uint64_t next_ = 1;
};

}  // namespace poold::core
