// A payload arena: shared memory in which one process (the maker) hands over payload after payload to others, without a
// system call and without new memory, which costs more than the copy. A client makes some for large arguments, a worker
// for large results.
//
// Layout of the memory object (a memfd sealed against growing and shrinking): `slots` slots of `slot_bytes` bytes each,
// then one page with an ArenaHead. A slot has one payload at a time, from its first byte on.
//
// A slot's word says which use of the slot this is, and who has it:
//   maker:   kFree(n) -> kFilled(n+1)     has it, writes the payload, and tells the daemon (slot, use, bytes)
//   daemon:  kFilled(n) -> kTaken(n)      when it is told; the payload stays as it is until
//   daemon:  kTaken(n) -> kFree(n)        its last owner in the daemon is gone
//   maker:   kFilled(n) -> kFree(n)       it was not told after all
// A use is never told twice: who comes with an old one finds another word. Who reads without the daemon's word that the
// payload stays (a client that reads a result) copies, and then looks whether it is still kTaken(n); or holds the slot
// (arena_hold.h), which is used then, whatever its word says.
//
// `closed` is set by the daemon, or by a maker that is through with it: the maker takes no more slots there, and lets
// go of it. When all slots are free the daemon gives the memory back, whoever has it mapped.
//
// Trust: reading never faults, whatever the others do, but what is read may change if they mean harm. So arenas are
// used between processes of one user only; others hand over sealed memory (sealed_file.h), or bytes. Thread safety:
// words are atomic; see each class.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::wire {

inline constexpr std::uint32_t kMaxArenaSlots = 64;
inline constexpr std::size_t kArenaHeadBytes = 4096;
// Slots have a page more than a power of two: what is just above one (a payload with its length in front) fits.
inline constexpr std::uint64_t kSlotRestBytes = 4096;
// The largest payload that lies in an arena; and the least for which one is worth its while.
inline constexpr std::uint64_t kMaxArenaPayloadBytes = (std::uint64_t{64} << 20) + kSlotRestBytes;
inline constexpr std::uint64_t kMinArenaPayloadBytes = std::uint64_t{32} << 10;

struct ArenaShape {
  std::uint64_t slot_bytes = 0;
  std::uint32_t slots = 0;

  // The largest arena for payloads of so many bytes.
  static ArenaShape For(std::uint64_t payload_bytes);
  std::uint64_t slots_bytes() const { return slot_bytes * slots; }
  std::uint64_t bytes() const { return slots_bytes() + kArenaHeadBytes; }
  friend bool operator==(const ArenaShape&, const ArenaShape&) = default;
};

// Where a payload lies, in an arena that both sides know.
struct ArenaPlace {
  std::uint32_t slot = 0;
  std::uint64_t use = 0;
  friend bool operator==(const ArenaPlace&, const ArenaPlace&) = default;
};

enum class SlotState : std::uint64_t { kFree = 0, kFilled = 1, kTaken = 2 };

constexpr std::uint64_t SlotWord(std::uint64_t use, SlotState state) {
  return use << 2 | static_cast<std::uint64_t>(state);
}
constexpr SlotState StateOf(std::uint64_t word) { return static_cast<SlotState>(word & 3); }
constexpr std::uint64_t UseOf(std::uint64_t word) { return word >> 2; }

struct ArenaHead {
  std::atomic<std::uint32_t> closed;
  // 1: its maker looks for holds before it writes.
  std::atomic<std::uint32_t> heeds_holds;
  alignas(64) std::atomic<std::uint64_t> words[kMaxArenaSlots];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(ArenaHead) <= kArenaHeadBytes);

// A new one, empty. RESOURCE_EXHAUSTED: there is no memory for it, or a limit of file sizes forbids it.
absl::StatusOr<UniqueFd> MakeArena(ArenaShape shape);

// Its shape. INVALID_ARGUMENT: what is wrong with it; else it can be mapped and read without fear.
absl::StatusOr<ArenaShape> CheckArena(int fd, std::uint64_t slot_bytes);

// Gives the memory of all slots that nobody holds back to the system, whoever has them mapped: they read as zeros then.
void EmptyArena(int fd, ArenaShape shape);

// What may be written: everything (the maker), the head (the daemon), nothing (who only reads payloads).
enum class ArenaAccess { kAll, kHead, kNone };

// An arena in this process's memory. A value with one owner; keeps no descriptor.
class ArenaMapping {
 public:
  ArenaMapping() = default;
  // REQUIRES: CheckArena, or MakeArena, said so of this descriptor.
  static absl::StatusOr<ArenaMapping> Map(int fd, ArenaShape shape, ArenaAccess access);

  ArenaMapping(ArenaMapping&& other) noexcept
      : shape_(other.shape_),
        memory_(std::exchange(other.memory_, nullptr)),
        head_(std::exchange(other.head_, nullptr)) {}
  ArenaMapping& operator=(ArenaMapping&& other) noexcept {
    std::swap(shape_, other.shape_);
    std::swap(memory_, other.memory_);
    std::swap(head_, other.head_);
    return *this;
  }
  ~ArenaMapping();

  const ArenaShape& shape() const { return shape_; }
  // REQUIRES: slot < shape().slots, bytes <= shape().slot_bytes.
  std::string_view View(std::uint32_t slot, std::uint64_t bytes) const {
    return {memory_ + slot * shape_.slot_bytes, static_cast<std::size_t>(bytes)};
  }
  // REQUIRES: ArenaAccess::kAll, and nothing lies there. Makes the memory of large slots, in huge pages where the
  // kernel does that: takes some 0.1 ms for each MiB.
  void Gather() const;
  char* Slot(std::uint32_t slot) const { return memory_ + slot * shape_.slot_bytes; }
  ArenaHead& head() const { return *head_; }
  bool Has(std::uint32_t slot, std::uint64_t bytes) const { return slot < shape_.slots && bytes <= shape_.slot_bytes; }

  // From one state to another of the same use. False: it was in neither.
  bool Advance(ArenaPlace place, SlotState from, SlotState to) const;
  // Whether the slot is in this use and state. What was read before it is read before it.
  bool Is(ArenaPlace place, SlotState state) const;
  bool AllFree() const;

 private:
  ArenaMapping(ArenaShape shape, char* memory, ArenaHead* head) : shape_(shape), memory_(memory), head_(head) {}

  ArenaShape shape_;
  char* memory_ = nullptr;
  ArenaHead* head_ = nullptr;
};

}  // namespace poold::wire
