// The outcome ring: records from a worker to the daemon, in the memory of worker_page.h.
//
// Format: a record is a RecordHeader and `bytes` bytes. A record that does not fit into a quarter of the ring is cut
//   into fragments: records with the same ticket and item, all but the last with kMoreFollows. Records begin at
//   multiples of 8 and lie in one piece: the rest at the ring's end is filled by a record of kind kFiller, or skipped
//   where no RecordHeader fits.
//
// Short items of a chunk follow each other closely, and their bytes in the ring move from one core's cache to
// another's. Therefore the result of the item next to the last record's has only a NextHeader; everything else is as in
// the record before.
//
// Errors: the reader returns DATA_LOSS for bytes that no honest worker writes (the daemon then kills the worker).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "wire/worker_page.h"

namespace poold::wire {

// The kinds of records.
enum class RecordKind : std::uint16_t {
  // Nothing; not handed out.
  kFiller = 0,
  // The item succeeded; the bytes are its result.
  kResult = 1,
  // The item failed; the bytes are a poold.internal.Failure.
  kFailure = 2,
  // The task wrote these bytes to the stream of this name, as with kStderr.
  kStdout = 3,
  kStderr = 4,
  // A report of how far the item is: a ProgressNote.
  kProgress = 5,
  // A kResult with a NextHeader; handed out as kResult.
  kNextResult = 6,
};

// Flag: another fragment of the record follows.
inline constexpr std::uint16_t kMoreFollows = 1;
// Flag of a result: it lies in an arena of the worker, and the record's bytes are a ResultPlace.
inline constexpr std::uint16_t kInArena = 2;
// The most bytes of a record without its header.
inline constexpr std::uint32_t kMaxRecordBytes = kRingBytes / 4;

// The header of a record; `bytes` is without the header.
struct RecordHeader {
  std::uint32_t bytes;
  RecordKind kind;
  std::uint16_t flags;
  std::uint32_t ticket;
  // The item of a chunk; 0 for a single task.
  std::uint32_t item;
  std::uint32_t encoding;
  std::uint32_t reserved;
  // The time of this item's run.
  std::uint64_t elapsed_ns;
};
static_assert(sizeof(RecordHeader) == 32);
// Whether the record is an inline result in one fragment.
inline bool IsWholeResult(const RecordHeader& header) {
  return header.kind == RecordKind::kResult && header.flags == 0;
}

// The place of a result in an arena.
struct ResultPlace {
  std::uint64_t use;
  std::uint64_t bytes;
  // The size of the arena's slots.
  std::uint64_t slot_bytes;
  // The arena's number: how many came by RESULT_ARENA before it.
  std::uint32_t arena;
  std::uint32_t slot;
};
static_assert(sizeof(ResultPlace) == 32);

// The header of a kNextResult. Begins as every header.
struct NextHeader {
  std::uint32_t bytes;
  RecordKind kind;
  std::uint16_t elapsed_ns;
};
static_assert(sizeof(NextHeader) == 8 && offsetof(NextHeader, kind) == offsetof(RecordHeader, kind));

// Short results of neighbouring items that were read at once: they lay in the ring as records of kind kNextResult.
struct ResultRun {
  static constexpr std::uint32_t kMostItems = 256;
  // The most bytes of one item.
  static constexpr std::uint32_t kMostBytes = 32;

  // The header of the first item, as if the item came alone.
  RecordHeader first;
  std::uint32_t items = 0;
  // Bytes of the largest result.
  std::uint32_t largest = 0;
  // The time of all items.
  std::uint64_t elapsed_ns = 0;
  std::uint32_t bytes[kMostItems];
  // The results, one behind the other. A result is copied in whole words, hence the room behind.
  std::size_t packed_bytes = 0;
  char packed[kMostItems * kMostBytes + sizeof(std::uint64_t)];

  std::string_view results() const { return {packed, packed_bytes}; }
};

// The worker's side. Not thread-safe. Does not own the page.
class RingWriter {
 public:
  explicit RingWriter(void* memory);

  // Appends one record (as fragments if it is large). Blocks while the ring is full, and calls `bell` before that. When
  // Append returns, the reader sees the record, and the record survives the death of this process.
  void Append(const RecordHeader& header, std::string_view bytes, absl::FunctionRef<void()> bell);

  // Appends a short result with a NextHeader, in one piece and without a call: the way of most items. False: the result
  // does not fit that form, or there is no room; call Append.
  bool AppendNext(std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding, std::uint64_t elapsed_ns,
                  std::string_view bytes);

  // Bytes that the daemon has not read. `from` grows with what it reads.
  struct Unread {
    std::uint64_t from;  // grows with what it reads
    std::size_t bytes;
  };
  Unread unread() const {
    const std::uint64_t from = page_.read.load(std::memory_order_acquire);
    return {from, static_cast<std::size_t>(written_ - from)};
  }

  // A quick look, without order: whether TakeBell is worth a call. Before sleeping call TakeBell itself.
  bool BellWanted() const { return page_.reader_wants_bell.load(std::memory_order_relaxed) != 0; }

  // True once after the reader has asked for a bell and a record was written: send a BELL frame.
  bool TakeBell();

 private:
  static void CopyShort(char* to, std::string_view bytes);
  void AppendFragments(RecordHeader header, std::string_view bytes, absl::FunctionRef<void()> bell);
  void AppendOne(const RecordHeader& header, std::string_view bytes, absl::FunctionRef<void()> bell);
  bool IsNext(const RecordHeader& header) const;
  char* Make(std::size_t space, absl::FunctionRef<void()> bell);
  void WaitForRoom(std::size_t bytes, absl::FunctionRef<void()> bell);
  bool HasRoom(std::size_t bytes);

  WorkerPage& page_;
  char* const ring_;
  std::uint64_t written_;
  // The reader's position, as last seen.
  std::uint64_t read_;
  RecordHeader last_{};
};

// In the pieces in which numbers are written: a copy that straddles two fresh ones waits for both.
inline void RingWriter::CopyShort(char* to, std::string_view bytes) {
  const char* from = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, to += 8, from += 8) std::memcpy(to, from, 8);
  if ((left & 4) != 0) {
    std::memcpy(to, from, 4);
    to += 4, from += 4;
  }
  for (left &= 3; left > 0; --left) *to++ = *from++;
}

inline bool RingWriter::AppendNext(std::uint32_t ticket, std::uint32_t item, std::uint32_t encoding,
                                   std::uint64_t elapsed_ns, std::string_view bytes) {
  // The item number first: of single tasks it is always 0.
  const bool next = item == last_.item + 1 && ticket == last_.ticket && encoding == last_.encoding &&
                    IsWholeResult(last_) && elapsed_ns <= UINT16_MAX && bytes.size() <= ResultRun::kMostBytes;
  if (!next) return false;
  const std::size_t space = sizeof(NextHeader) + ((bytes.size() + 7) & ~std::size_t{7});
  const std::size_t place = written_ & (kRingBytes - 1);
  static_assert(sizeof(NextHeader) + ResultRun::kMostBytes <= 2 * sizeof(RecordHeader));
  if (kRingBytes - place < 2 * sizeof(RecordHeader) || written_ - read_ + space > kRingBytes) return false;
  last_.item = item;
  const NextHeader header{static_cast<std::uint32_t>(bytes.size()), RecordKind::kNextResult,
                          static_cast<std::uint16_t>(elapsed_ns)};
  std::memcpy(ring_ + place, &header, sizeof header);
  CopyShort(ring_ + place + sizeof header, bytes);
  written_ += space;
  page_.written.store(written_, std::memory_order_release);
  return true;
}

// The daemon's side. Not thread-safe. Does not own the page.
class RingReader {
 public:
  explicit RingReader(void* memory);

  using Visit = absl::FunctionRef<void(const RecordHeader&, std::string_view)>;
  using VisitRun = absl::FunctionRef<void(const ResultRun&)>;

  // Calls `visit` for every record in the ring; the view is valid during the call. Fragments are handed out one by one.
  // Hands out at most a ringful, then the writer gets its room back. Asks for a bell at the end. DATA_LOSS: see the
  // head.
  absl::Status Drain(Visit visit) { return Drain(Bell::kWanted, visit); }
  // kNotWanted: the reader polls again soon, and calls Drain with kWanted before it sleeps.
  enum class Bell { kWanted, kNotWanted };
  absl::Status Drain(Bell bell, Visit visit) { return Drain(bell, visit, nullptr); }
  // As Drain; results of neighbouring items go to `visit_run`, many at once.
  absl::Status Drain(Bell bell, Visit visit, VisitRun visit_run) { return Drain(bell, visit, &visit_run); }
  // Whether there is a record to read. One load.
  bool HasUnread() const { return page_.written.load(std::memory_order_acquire) != read_; }

 private:
  absl::Status Drain(Bell bell, Visit visit, const VisitRun* visit_run);
  absl::Status ReadUpTo(std::uint64_t written, Visit visit, const VisitRun* visit_run);
  bool ReadRun(std::uint64_t written, VisitRun visit_run);

  WorkerPage& page_;
  const char* const ring_;
  // The position of this reader. The page has a copy for the writer alone.
  std::uint64_t read_;
  RecordHeader last_{};
};

// ---- Reports of progress ----

inline constexpr std::size_t kMaxProgressTextBytes = 200;

// A task's report of its progress. Its bytes in a kProgress record are eight bytes of fraction, then the text. Trust:
// reading makes every value safe, as the members say.
struct ProgressNote {
  // From 0 to 1; -1: the task cannot tell.
  double fraction = -1;
  // Valid UTF-8 of at most kMaxProgressTextBytes bytes.
  std::string text;
  friend bool operator==(const ProgressNote&, const ProgressNote&) = default;
};

// A note from any values: NaN and negative fractions become -1, fractions above 1 become 1; the text is cut and
// repaired.
ProgressNote MakeProgressNote(double fraction, std::string_view text);

// The bytes of the record.
std::string WriteProgressNote(const ProgressNote& note);
// Nothing: the bytes are no note.
std::optional<ProgressNote> ReadProgressNote(std::string_view bytes);

}  // namespace poold::wire
