// Payload arenas: shared memory in which one process (the maker) hands over payload after payload to others, without a
// system call and without new memory, which costs more than the copy. A client makes arenas for large arguments, a
// worker for large results.
//
// Format: a memory object (a memfd sealed against growing and shrinking) with `slots` slots of `slot_bytes` bytes each,
//   then one page with an ArenaHead. A slot has one payload at a time, from its first byte on.
//
// A slot's word tells the slot's use and owner:
//   maker:   kFree(n) -> kFilled(n+1)     owns it, writes the payload, and tells the daemon (slot, use, bytes)
//   daemon:  kFilled(n) -> kTaken(n)      when it is told; the payload does not change until
//   daemon:  kTaken(n) -> kFree(n)        its last owner in the daemon is gone
//   maker:   kFilled(n) -> kFree(n)       the daemon was not told after all
// A use is never told twice: an old use does not match the word. A reader to whom the daemon does not promise the
// payload (a client that reads a result) copies the payload and then checks that the word is still kTaken(n); or the
// reader holds the slot (arena.h), and the slot counts as used then, whatever its word says.
//
// The daemon, or a maker that needs the arena no more, sets `closed`: the maker uses no more slots and drops the arena.
// When all slots are free the daemon gives the memory back, though others have the arena mapped.
//
// Trust: reading never faults, whatever other processes do, but bytes may change if another process means harm.
// Therefore arenas are used between processes of one user only; others hand over sealed memory (memory_file.h), or
// bytes.
// Threads: words are atomic; see each class.
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
// Slots are a page larger than a power of two, so that a payload just above one (with its length in front) fits.
inline constexpr std::uint64_t kSlotRestBytes = 4096;
// The largest payload in an arena, and the smallest that is worth a slot.
inline constexpr std::uint64_t kMaxArenaPayloadBytes = (std::uint64_t{64} << 20) + kSlotRestBytes;
inline constexpr std::uint64_t kMinArenaPayloadBytes = std::uint64_t{32} << 10;

// The size of an arena. A plain value.
struct ArenaShape {
  std::uint64_t slot_bytes = 0;
  std::uint32_t slots = 0;

  // The largest arena for payloads of so many bytes.
  static ArenaShape For(std::uint64_t payload_bytes);
  // The bytes of all slots; bytes(): of the whole memory object.
  std::uint64_t slots_bytes() const { return slot_bytes * slots; }
  std::uint64_t bytes() const { return slots_bytes() + kArenaHeadBytes; }
  friend bool operator==(const ArenaShape&, const ArenaShape&) = default;
};

// The place of a payload, in an arena that both sides know.
struct ArenaPlace {
  std::uint32_t slot = 0;
  std::uint64_t use = 0;
  friend bool operator==(const ArenaPlace&, const ArenaPlace&) = default;
};

// The low two bits of a slot's word.
enum class SlotState : std::uint64_t { kFree = 0, kFilled = 1, kTaken = 2 };

// A slot's word, and its parts.
constexpr std::uint64_t SlotWord(std::uint64_t use, SlotState state) {
  return use << 2 | static_cast<std::uint64_t>(state);
}
constexpr SlotState StateOf(std::uint64_t word) { return static_cast<SlotState>(word & 3); }
constexpr std::uint64_t UseOf(std::uint64_t word) { return word >> 2; }

// The last page of an arena.
struct ArenaHead {
  // 1: the maker uses no more slots.
  std::atomic<std::uint32_t> closed;
  // 1: the maker looks for holds before it writes.
  std::atomic<std::uint32_t> heeds_holds;
  // One word for each slot; see SlotWord.
  alignas(64) std::atomic<std::uint64_t> words[kMaxArenaSlots];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(ArenaHead) <= kArenaHeadBytes);

// Makes an empty arena. RESOURCE_EXHAUSTED: there is no memory for it, or a limit of file sizes forbids it.
absl::StatusOr<UniqueFd> MakeArena(ArenaShape shape);

// The shape of an arena that another process made, which can be mapped and read safely. INVALID_ARGUMENT says what is
// wrong.
absl::StatusOr<ArenaShape> CheckArena(int fd, std::uint64_t slot_bytes);

// Gives the memory of all slots that are not held back to the system, though others have them mapped: they read as
// zeros.
void EmptyArena(int fd, ArenaShape shape);

// The memory that may be written: everything (the maker), the head (the daemon), nothing (a reader of payloads).
enum class ArenaAccess { kAll, kHead, kNone };

// An arena in this process's memory. A value with one owner; keeps no descriptor. Threads: the words are atomic; slots
// are written by the thread that reserved them.
class ArenaMapping {
 public:
  ArenaMapping() = default;
  // REQUIRES: CheckArena or MakeArena gave this shape for this descriptor. RESOURCE_EXHAUSTED: the system cannot map
  //   the arena.
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
  // The first bytes of a slot. Valid as long as the mapping. REQUIRES: Has(slot, bytes).
  std::string_view View(std::uint32_t slot, std::uint64_t bytes) const {
    return {memory_ + slot * shape_.slot_bytes, static_cast<std::size_t>(bytes)};
  }
  // Makes the memory of large slots, in huge pages where the kernel has them; takes about 0.1 ms for each MiB.
  // REQUIRES: ArenaAccess::kAll, and no payload lies in the arena.
  void Gather() const;
  // The first byte of a slot. REQUIRES: Has(slot, 0).
  char* Slot(std::uint32_t slot) const { return memory_ + slot * shape_.slot_bytes; }
  ArenaHead& head() const { return *head_; }
  // Whether the arena has such a slot.
  bool Has(std::uint32_t slot, std::uint64_t bytes) const { return slot < shape_.slots && bytes <= shape_.slot_bytes; }

  // Changes the slot's state within one use. False: the slot was not in `from` with this use, and nothing changed.
  bool Advance(ArenaPlace place, SlotState from, SlotState to) const;
  // Whether the slot is in this use and state. Reads before this call happened before it.
  bool Is(ArenaPlace place, SlotState state) const;
  // Whether every slot is free, by its word.
  bool AllFree() const;

 private:
  ArenaMapping(ArenaShape shape, char* memory, ArenaHead* head) : shape_(shape), memory_(memory), head_(head) {}

  ArenaShape shape_;
  char* memory_ = nullptr;
  ArenaHead* head_ = nullptr;
};

// ---- Holds: a reader of a payload in an arena keeps the payload beyond the daemon's promise ----
//
// A hold is a shared lock (F_OFD_SETLK) on the slot's first byte in the arena's file, of a file description that the
// reader has opened for itself. So a hold needs no word that other processes may write, costs one system call, and ends
// with its process, however that ends. A slot that is held counts as used: its maker does not write there, and its
// memory is not given back.
//
// A reader takes its hold first and then looks at the slot's word; a maker takes the word first and then looks for
// holds: one of the two sees the other. Makers that look say so (ArenaHead::heeds_holds); in other arenas a hold has no
// effect. Threads: thread-safe system calls. No function blocks.

// Opens the arena of a descriptor anew, with a file description of its own. None: the system does not allow that.
UniqueFd OpenForHolds(int fd);

// Holds a slot. False: the slot cannot be held. Holds do not add up: one LetGo ends them. REQUIRES: OpenForHolds made
// `fd`.
bool Hold(int fd, const ArenaShape& shape, std::uint32_t slot);
// Ends the hold of `fd` on the slot.
void LetGo(int fd, const ArenaShape& shape, std::uint32_t slot);

// Whether any process holds this slot, by whatever file description.
bool IsHeld(int fd, const ArenaShape& shape, std::uint32_t slot);
// Whether any slot is held.
bool IsHeld(int fd, const ArenaShape& shape);

}  // namespace poold::wire
