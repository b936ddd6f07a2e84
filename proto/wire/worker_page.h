// WorkerPage: the memory that a worker shares with the daemon: the claim page and the outcome ring.
//
// Role: the claim words tell which of the prefetched tasks the worker has claimed, so that the daemon can take the
//   others back with one atomic exchange. The ring carries the worker's records (results, failures, output). Both are
//   readable after the worker's death: that is how a crash costs exactly the task that ran. Non-role: the page carries
//   no tasks to the worker (frames on the channel do) and wakes no process (BELL frames do).
//
// Format: a memory object (a sealed memfd of kWorkerPageBytes): WorkerPage, then from kCrashNoteOffset on the
// CrashNote,
//   then from kRingOffset on kRingBytes of ring.
// Ownership: the daemon makes one page for each worker, and unmaps it after the worker is reaped and the ring is read.
// Threads: one worker thread on one side; on the daemon's side any thread uses claim words, one thread the ring. Trust:
//   the daemon treats everything that it reads here as hostile: sizes and indices are checked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace poold::wire {

inline constexpr std::uint32_t kPageMagic = 0x706f6f6c;  // "pool"
inline constexpr std::uint32_t kPageVersion = 3;
inline constexpr std::uint32_t kClaimSlots = 1024;
// A power of two.
inline constexpr std::uint32_t kRingBytes = 256 * 1024;
inline constexpr std::uint32_t kNoSlot = 0xffffffff;

// One claim word: how many items of the slot's task the worker has claimed (`cursor`) of those that it may claim
// (`limit`). A single task is a chunk of one item. `sequence` tells the uses of a slot apart.
//   worker, before each item:  cursor < limit -> cursor + 1      else the task is over
//   daemon, to take back:      limit -> cursor
// cursor and limit have 24 bits.
struct Claim {
  std::uint16_t sequence = 0;
  std::uint32_t cursor = 0;
  std::uint32_t limit = 0;
  friend bool operator==(const Claim&, const Claim&) = default;
};
// The most items of a chunk.
inline constexpr std::uint32_t kMaxChunkItems = (1u << 24) - 1;

// The claim as its word, and back.
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

// The process that may read the output pipes now. The lock is held for microseconds; the worker takes it at every
// boundary between tasks, so that bytes in the pipes always belong to the task that `current_ticket` names while the
// lock is held.
enum class OutputLock : std::uint32_t { kFree = 0, kWorker = 1, kDaemon = 2 };

// The first part of the memory. Members on cache lines of their own by writer.
struct WorkerPage {
  std::uint32_t magic;
  std::uint32_t version;

  // The owner of output: `current_ticket` is the ticket of the running task (valid while `running` is 1),
  // `current_item` its item.
  alignas(64) std::atomic<std::uint32_t> output_lock;
  std::atomic<std::uint32_t> running;
  std::atomic<std::uint32_t> current_ticket;
  std::atomic<std::uint32_t> current_item;

  // Bytes of the ring ever written, by the worker; `read`: ever read, by the daemon.
  alignas(64) std::atomic<std::uint64_t> written;
  // 1: the worker waits on this futex for room; the daemon sets 0 and wakes the worker after it has read.
  std::atomic<std::uint32_t> writer_waits;
  alignas(64) std::atomic<std::uint64_t> read;
  // 1: the daemon has read everything and wants a BELL for the next record. The worker that writes exchanges 1 for 0.
  std::atomic<std::uint32_t> reader_wants_bell;

  // Claim words by slot.
  alignas(64) std::atomic<std::uint64_t> claims[kClaimSlots];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

inline constexpr std::size_t kCrashNoteOffset = 3 * 4096;
inline constexpr std::size_t kCrashNoteBytes = 12 * 1024;
static_assert(sizeof(WorkerPage) <= kCrashNoteOffset);
inline constexpr std::size_t kRingOffset = kCrashNoteOffset + kCrashNoteBytes;
inline constexpr std::size_t kWorkerPageBytes = kRingOffset + kRingBytes;

// Claims the next item. False: there is none (all are claimed or taken back, or the slot belongs to another task). The
// worker calls.
bool ClaimNext(WorkerPage& page, std::uint32_t ticket, std::uint32_t* item);

// Offers a task of `items` items in a free slot; returns its ticket. The daemon calls.
std::uint32_t OfferTask(WorkerPage& page, std::uint16_t slot, std::uint32_t items);

// Takes unclaimed items back but leaves `keep` of them; returns how many came back: the last ones, [new limit, old
// limit). Lock-free; any thread of the daemon.
std::uint32_t TakeBack(WorkerPage& page, std::uint32_t ticket, std::uint32_t keep = 0);

// The claim word of a ticket, for the reader of a dead worker's page. All zeros: the slot has another task.
Claim ReadClaim(const WorkerPage& page, std::uint32_t ticket);

// ---- The crash note ----

// The last note of a worker that dies of a fault of its own, in its page: the signal and the stack. Zeros until the
// worker writes.
//
// A signal handler writes the note: the writing functions are async-signal-safe, and the text so far is readable even
// if the handler dies. The daemon reads the note after the worker's death. Trust: the reader treats everything as
// hostile; its result is bounded and valid UTF-8.
struct CrashNote {
  std::atomic<std::uint32_t> signal;
  std::atomic<std::uint32_t> text_bytes;
  std::atomic<std::uint64_t> address;
  char text[kCrashNoteBytes - 16];
};
static_assert(sizeof(CrashNote) == kCrashNoteBytes);

// Begins a note. `memory` is the page. The worker calls.
void BeginCrashNote(void* memory, int signal, std::uint64_t address);
// Appends text; text that does not fit is left out. The worker calls.
void AppendCrashText(void* memory, const char* text, std::size_t bytes);

// A note as the daemon has read it.
struct Crash {
  int signal = 0;
  // The address that could not be reached (SIGSEGV, SIGBUS) or executed (SIGILL, SIGFPE); 0: not known.
  std::uint64_t address = 0;
  // One line for a frame, innermost first, as Failure.backtrace: "resize(int) (imaging.so+0x1234)".
  std::string backtrace;
};

// Nothing: the worker did not die of a fault, or wrote no note. The daemon calls.
std::optional<Crash> ReadCrashNote(const void* memory);

}  // namespace poold::wire
