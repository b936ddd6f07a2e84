#include "wire/outcome_ring.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "wire/readable.h"

namespace poold::wire {
namespace {

static_assert((kRingBytes & (kRingBytes - 1)) == 0);

constexpr std::size_t Aligned(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }
constexpr std::size_t PlaceOf(std::uint64_t position) { return position & (kRingBytes - 1); }

WorkerPage& PageOf(void* memory) { return *static_cast<WorkerPage*>(memory); }
char* RingOf(void* memory) { return static_cast<char*>(memory) + kRingOffset; }

// The word is shared with another process: no FUTEX_PRIVATE_FLAG. The time limit is for a reader that died.
void FutexWait(std::atomic<std::uint32_t>* word, std::uint32_t value) {
  const timespec limit{1, 0};
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), FUTEX_WAIT, value, &limit, nullptr, 0);
}

void FutexWake(std::atomic<std::uint32_t>* word) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

absl::Status Broken(std::string_view what, std::uint64_t value) {
  return absl::DataLossError(absl::StrCat("broken outcome ring: ", std::string(what), " (", value, ")"));
}

}  // namespace

RingWriter::RingWriter(void* memory)
    : page_(PageOf(memory)),
      ring_(RingOf(memory)),
      written_(page_.written.load(std::memory_order_relaxed)),
      read_(page_.read.load(std::memory_order_acquire)) {}

bool RingWriter::TakeBell() {
  // Pairs with the fence in Drain: either we see that a bell is wanted, or the reader sees what we wrote.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!BellWanted() || unread().bytes == 0) return false;
  return page_.reader_wants_bell.exchange(0, std::memory_order_acq_rel) != 0;
}

// The header is not copied on the way of short records: of what was just written field by field a copy has to wait.
void RingWriter::Append(const RecordHeader& header, std::string_view bytes, absl::FunctionRef<void()> bell) {
  bytes.size() > kMaxRecordBytes ? AppendFragments(header, bytes, bell) : AppendOne(header, bytes, bell);
}

void RingWriter::AppendFragments(RecordHeader header, std::string_view bytes, absl::FunctionRef<void()> bell) {
  const std::uint16_t flags = header.flags;
  while (bytes.size() > kMaxRecordBytes) {
    header.flags = flags | kMoreFollows;
    AppendOne(header, bytes.substr(0, kMaxRecordBytes), bell);
    bytes.remove_prefix(kMaxRecordBytes);
  }
  header.flags = flags;
  AppendOne(header, bytes, bell);
}

// The item number first: of single tasks it is always 0.
bool RingWriter::IsNext(const RecordHeader& header) const {
  return header.item == last_.item + 1 && header.ticket == last_.ticket && IsWholeResult(header) &&
         IsWholeResult(last_) && header.encoding == last_.encoding && header.elapsed_ns <= UINT16_MAX;
}

void RingWriter::AppendOne(const RecordHeader& header, std::string_view bytes, absl::FunctionRef<void()> bell) {
  const bool is_next = IsNext(header);
  const std::size_t header_bytes = is_next ? sizeof(NextHeader) : sizeof(RecordHeader);
  const std::size_t space = header_bytes + Aligned(bytes.size());
  char* const place = Make(space, bell);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  if (is_next) {
    last_.item = header.item;
    const NextHeader next{size, RecordKind::kNextResult, static_cast<std::uint16_t>(header.elapsed_ns)};
    std::memcpy(place, &next, sizeof next);
  } else {
    last_ = header;
    last_.bytes = size;
    std::memcpy(place, &last_, sizeof last_);
  }
  if (!bytes.empty()) std::memcpy(place + header_bytes, bytes.data(), bytes.size());
  written_ += space;
  page_.written.store(written_, std::memory_order_release);
}

// Room for a record of so many bytes, in one piece; a whole header fits there in any case.
char* RingWriter::Make(std::size_t space, absl::FunctionRef<void()> bell) {
  const std::size_t to_end = kRingBytes - PlaceOf(written_);
  const std::size_t skipped = to_end < std::max(space, sizeof(RecordHeader)) ? to_end : 0;
  if (!HasRoom(skipped + space)) WaitForRoom(skipped + space, bell);
  if (skipped >= sizeof(RecordHeader)) {
    RecordHeader filler{};
    filler.bytes = static_cast<std::uint32_t>(skipped - sizeof filler);
    std::memcpy(ring_ + PlaceOf(written_), &filler, sizeof filler);
  }
  written_ += skipped;
  return ring_ + PlaceOf(written_);
}

bool RingWriter::HasRoom(std::size_t bytes) {
  if (written_ - read_ + bytes <= kRingBytes) return true;
  read_ = page_.read.load(std::memory_order_acquire);
  return written_ - read_ + bytes <= kRingBytes;
}

void RingWriter::WaitForRoom(std::size_t bytes, absl::FunctionRef<void()> bell) {
  do {
    page_.writer_waits.store(1, std::memory_order_relaxed);
    // Pairs with the fence in Drain: either we see the room, or the reader sees that we wait.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (HasRoom(bytes)) break;
    bell();
    FutexWait(&page_.writer_waits, 1);
  } while (!HasRoom(bytes));
  page_.writer_waits.store(0, std::memory_order_relaxed);
}

RingReader::RingReader(void* memory)
    : page_(PageOf(memory)), ring_(RingOf(memory)), read_(page_.read.load(std::memory_order_relaxed)) {}

absl::Status RingReader::Drain(Bell bell, Visit visit, const VisitRun* visit_run) {
  const std::uint32_t wanted = bell == Bell::kWanted ? 1 : 0;
  const std::uint64_t begin = read_;
  while (true) {
    const std::uint64_t written = page_.written.load(std::memory_order_acquire);
    // `read` is published at the end only, so an honest writer is never further ahead. That bounds the loop, too.
    if (written - begin > kRingBytes || written < read_) return Broken("written", written - begin);
    if (absl::Status read = ReadUpTo(written, visit, visit_run); !read.ok()) return read;
    page_.reader_wants_bell.store(wanted, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (page_.written.load(std::memory_order_relaxed) == read_) break;
  }
  if (read_ == begin) return absl::OkStatus();
  page_.read.store(read_, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (page_.writer_waits.load(std::memory_order_relaxed) != 0 &&
      page_.writer_waits.exchange(0, std::memory_order_relaxed) != 0) {
    FutexWake(&page_.writer_waits);
  }
  return absl::OkStatus();
}

absl::Status RingReader::ReadUpTo(std::uint64_t written, Visit visit, const VisitRun* visit_run) {
  while (read_ != written) {
    const std::size_t there = written - read_;
    const std::size_t to_end = kRingBytes - PlaceOf(read_);
    if (to_end < sizeof(RecordHeader)) {
      if (there < to_end) return Broken("a gap", there);
      read_ += to_end;
      continue;
    }
    if (there < sizeof(NextHeader)) return Broken("half a header", there);
    const char* const place = ring_ + PlaceOf(read_);
    // Headers are copied once: the writer could change them while we look.
    NextHeader first;
    std::memcpy(&first, place, sizeof first);
    const bool is_next = first.kind == RecordKind::kNextResult;
    const std::size_t header_bytes = is_next ? sizeof(NextHeader) : sizeof(RecordHeader);
    if (first.kind > RecordKind::kNextResult) return Broken("record kind", static_cast<std::uint64_t>(first.kind));
    if (is_next && !IsWholeResult(last_)) return Broken("a next result behind none", 0);
    if (is_next && visit_run != nullptr && ReadRun(written, *visit_run)) continue;
    if (there < header_bytes) return Broken("half a header", there);
    const std::size_t space = header_bytes + Aligned(first.bytes);
    if (first.bytes > kRingBytes || space > there || space > to_end) return Broken("record bytes", first.bytes);
    read_ += space;
    if (first.kind == RecordKind::kFiller) continue;
    if (is_next) {
      ++last_.item;
      last_.elapsed_ns = first.elapsed_ns;
    } else {
      std::memcpy(&last_, place, sizeof last_);
      last_.kind = first.kind;
    }
    last_.bytes = first.bytes;
    visit(last_, std::string_view(place + header_bytes, first.bytes));
  }
  return absl::OkStatus();
}

// The short neighbours that lie here in one piece. False: there is none; what it is instead, or what is wrong with it,
// is found by who reads it alone. REQUIRES: a neighbour's header would have its room here.
bool RingReader::ReadRun(std::uint64_t written, VisitRun visit_run) {
  const std::size_t to_end = kRingBytes - PlaceOf(read_);
  const char* const begin = ring_ + PlaceOf(read_);
  const char* const end = begin + std::min<std::uint64_t>(written - read_, to_end);
  // Behind it no record begins.
  const char* const last_begin = begin + (to_end - sizeof(RecordHeader));
  ResultRun run;
  run.first = last_;
  NextHeader header{};
  const char* at = begin;
  char* out = run.packed;
  while (run.items < ResultRun::kMostItems && at <= last_begin && end - at >= static_cast<int>(sizeof header)) {
    NextHeader next;
    std::memcpy(&next, at, sizeof next);
    const std::size_t space = sizeof next + Aligned(next.bytes);
    if (next.kind != RecordKind::kNextResult || next.bytes > ResultRun::kMostBytes) break;
    if (space > static_cast<std::size_t>(end - at)) break;
    header = next;
    for (std::size_t i = 0; i < next.bytes; i += sizeof(std::uint64_t)) {
      std::memcpy(out + i, at + sizeof next + i, sizeof(std::uint64_t));
    }
    if (run.items == 0) run.first.elapsed_ns = next.elapsed_ns;
    run.bytes[run.items++] = next.bytes;
    run.largest = std::max(run.largest, next.bytes);
    run.elapsed_ns += next.elapsed_ns;
    out += next.bytes;
    at += space;
  }
  if (run.items == 0) return false;
  run.packed_bytes = static_cast<std::size_t>(out - run.packed);
  run.first.bytes = run.bytes[0];
  run.first.item = last_.item + 1;
  last_.item += run.items;
  last_.bytes = header.bytes;
  last_.elapsed_ns = header.elapsed_ns;
  read_ += static_cast<std::uint64_t>(at - begin);
  visit_run(run);
  return true;
}

ProgressNote MakeProgressNote(double fraction, std::string_view text) {
  // Also NaN, which is not >= 0.
  const double known = fraction >= 0 ? std::min(fraction, 1.0) : -1;
  return {known, Readable(text, kMaxProgressTextBytes)};
}

std::string WriteProgressNote(const ProgressNote& note) {
  std::string bytes(sizeof note.fraction, '\0');
  std::memcpy(bytes.data(), &note.fraction, sizeof note.fraction);
  return bytes + note.text;
}

std::optional<ProgressNote> ReadProgressNote(std::string_view bytes) {
  double fraction;
  if (bytes.size() < sizeof fraction || bytes.size() > sizeof fraction + kMaxProgressTextBytes) return std::nullopt;
  std::memcpy(&fraction, bytes.data(), sizeof fraction);
  return MakeProgressNote(fraction, bytes.substr(sizeof fraction));
}

}  // namespace poold::wire
