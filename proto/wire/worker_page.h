// The memory that a worker shares with the daemon: the claim page and the outcome ring.
//
// Role: the claim words say which of the tasks sent ahead the worker has claimed, so that the daemon can take the
// others back with one atomic exchange. The ring carries what the worker has to say (results, failures, output) as
// records. Both are readable after the worker's death: that is how a crash costs exactly the task that ran. Non-role:
// it does not carry tasks to the worker (frames on the channel do) and wakes nobody (BELL frames do).
//
// Layout of the memory object (a sealed memfd of kWorkerPageBytes): WorkerPage, then from kCrashNoteOffset on the
// CrashNote (crash_note.h), then from kRingOffset on kRingBytes of ring.
// Ownership: the daemon makes it, one for each worker, and unmaps it after the worker is reaped and the ring is read.
// Thread safety: one worker thread on one side; on the daemon's side claim words from any thread, the ring from one.
// Trust: the daemon treats everything that it reads here as hostile: sizes and indices are checked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace poold::wire {

inline constexpr std::uint32_t kPageMagic = 0x706f6f6c;  // "pool"
inline constexpr std::uint32_t kPageVersion = 3;
inline constexpr std::uint32_t kClaimSlots = 1024;
inline constexpr std::uint32_t kRingBytes = 256 * 1024;  // a power of two
inline constexpr std::uint32_t kNoSlot = 0xffffffff;

// One claim word: how many items of the slot's task the worker has claimed (`cursor`) of those it may claim (`limit`).
// A single task is a chunk of one item. `sequence` tells a reused slot from its former life.
//   worker, before each item:  cursor < limit -> cursor + 1      else the task is over
//   daemon, to take back:      limit -> cursor
struct Claim {
  std::uint16_t sequence = 0;
  std::uint32_t cursor = 0;  // 24 bits
  std::uint32_t limit = 0;   // 24 bits
  friend bool operator==(const Claim&, const Claim&) = default;
};
inline constexpr std::uint32_t kMaxChunkItems = (1u << 24) - 1;

constexpr std::uint64_t PackClaim(Claim claim) {
  return std::uint64_t{claim.sequence} << 48 | std::uint64_t{claim.cursor} << 24 | claim.limit;
}
constexpr Claim UnpackClaim(std::uint64_t word) {
  return {static_cast<std::uint16_t>(word >> 48), static_cast<std::uint32_t>(word >> 24 & kMaxChunkItems),
          static_cast<std::uint32_t>(word & kMaxChunkItems)};
}

// A task's ticket in a Run frame: its slot and the sequence number that the claim word must show.
constexpr std::uint32_t MakeTicket(std::uint16_t slot, std::uint16_t sequence) {
  return std::uint32_t{sequence} << 16 | slot;
}
constexpr std::uint16_t TicketSlot(std::uint32_t ticket) { return static_cast<std::uint16_t>(ticket); }
constexpr std::uint16_t TicketSequence(std::uint32_t ticket) { return static_cast<std::uint16_t>(ticket >> 16); }

// Who may read the output pipes now. Taken for microseconds; the worker takes it at every boundary between tasks, so
// that what lies in the pipes is always of the task that `current_ticket` names while the lock is held.
enum class OutputLock : std::uint32_t { kFree = 0, kWorker = 1, kDaemon = 2 };

struct WorkerPage {
  std::uint32_t magic;
  std::uint32_t version;

  // Output attribution. `current_ticket` is the ticket of the task that runs (valid while `running` is 1),
  // `current_item` its item.
  alignas(64) std::atomic<std::uint32_t> output_lock;
  std::atomic<std::uint32_t> running;
  std::atomic<std::uint32_t> current_ticket;
  std::atomic<std::uint32_t> current_item;

  // The ring: bytes ever written and ever read. The worker owns `written`, the daemon owns `read`.
  alignas(64) std::atomic<std::uint64_t> written;
  // 1: the worker waits on it (a futex) for room; the daemon sets 0 and wakes after it has read.
  std::atomic<std::uint32_t> writer_waits;
  alignas(64) std::atomic<std::uint64_t> read;
  // 1: the daemon has read everything and wants a BELL for what comes next. Whoever writes exchanges it for 0.
  std::atomic<std::uint32_t> reader_wants_bell;

  alignas(64) std::atomic<std::uint64_t> claims[kClaimSlots];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

inline constexpr std::size_t kCrashNoteOffset = 3 * 4096;
inline constexpr std::size_t kCrashNoteBytes = 12 * 1024;
static_assert(sizeof(WorkerPage) <= kCrashNoteOffset);
inline constexpr std::size_t kRingOffset = kCrashNoteOffset + kCrashNoteBytes;
inline constexpr std::size_t kWorkerPageBytes = kRingOffset + kRingBytes;

// Claims the next item. False: there is none (all claimed, taken back, or the slot belongs to another task).
// Called by the worker.
bool ClaimNext(WorkerPage& page, std::uint32_t ticket, std::uint32_t* item);

// Offers a task of `items` items in a free slot; returns its ticket. Called by the daemon.
std::uint32_t OfferTask(WorkerPage& page, std::uint16_t slot, std::uint32_t items);

// Takes back what is not claimed, but leaves at least `keep` unclaimed items; returns how many came back: the last
// ones, [new limit, old limit). Wait-free for any thread of the daemon.
std::uint32_t TakeBack(WorkerPage& page, std::uint32_t ticket, std::uint32_t keep = 0);

// The claim word of a ticket, for the reader of a dead worker's page. All zero if the slot has another task.
Claim ReadClaim(const WorkerPage& page, std::uint32_t ticket);

}  // namespace poold::wire
