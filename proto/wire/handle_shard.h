// Ids of handles, and the shard of a daemon in which a handle lies.
//
// An id has two halves of 64 bits (TaskGroup in poold/v1/session.proto). Where the low 24 bits of the high half are
// kShardMark, the high 8 bits of the low half are the shard of the handle's pool, counted from 1 as Pool.shard counts.
// A UUID never carries the mark: its version, in bits 12 to 15 of the high half, would be 15.
#pragma once

#include <cstdint>

namespace poold::wire {

// The mark, its place, and the place of the shard's number.
inline constexpr std::uint64_t kShardMark = 0x70f1d5;
inline constexpr std::uint64_t kShardMarkMask = 0xffffff;
inline constexpr int kShardShift = 56;

// The shard of an id's handle, from 1; 0: the id does not say the shard.
constexpr std::uint64_t ShardOfId(std::uint64_t high, std::uint64_t low) {
  return (high & kShardMarkMask) == kShardMark ? low >> kShardShift : 0;
}

// The halves of an id that says its shard. `shard`: from 1 to 255.
constexpr std::uint64_t MarkHigh(std::uint64_t high) { return (high & ~kShardMarkMask) | kShardMark; }
constexpr std::uint64_t MarkLow(std::uint64_t low, std::uint64_t shard) {
  return (low & ((std::uint64_t{1} << kShardShift) - 1)) | shard << kShardShift;
}

}  // namespace poold::wire
