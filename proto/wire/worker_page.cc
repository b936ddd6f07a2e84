#include "wire/worker_page.h"

#include <signal.h>

#include <algorithm>
#include <cstring>

#include "wire/readable.h"

namespace poold::wire {
namespace {

// One item more is claimed.
constexpr std::uint64_t kNextItem = PackClaim({0, 1, 0});

// A slot's number comes from a frame or a hostile page.
std::atomic<std::uint64_t>* WordOf(WorkerPage& page, std::uint32_t ticket) {
  const std::uint16_t slot = TicketSlot(ticket);
  return slot < kClaimSlots ? &page.claims[slot] : nullptr;
}

CrashNote& NoteOf(void* memory) { return *reinterpret_cast<CrashNote*>(static_cast<char*>(memory) + kCrashNoteOffset); }

}  // namespace

bool ClaimNext(WorkerPage& page, std::uint32_t ticket, std::uint32_t* item) {
  std::atomic<std::uint64_t>* const word = WordOf(page, ticket);
  if (word == nullptr) return false;
  std::uint64_t seen = word->load(std::memory_order_acquire);
  while (true) {
    const Claim claim = UnpackClaim(seen);
    if (claim.sequence != TicketSequence(ticket) || claim.cursor >= claim.limit) return false;
    if (word->compare_exchange_weak(seen, seen + kNextItem, std::memory_order_acq_rel, std::memory_order_acquire)) {
      *item = claim.cursor;
      return true;
    }
  }
}

std::uint32_t OfferTask(WorkerPage& page, std::uint16_t slot, std::uint32_t items) {
  std::atomic<std::uint64_t>& word = page.claims[slot % kClaimSlots];
  const std::uint16_t last = UnpackClaim(word.load(std::memory_order_relaxed)).sequence;
  // Never 0: a page that was never used has only zeros.
  const std::uint16_t sequence = last == 0xffff ? 1 : last + 1;
  word.store(PackClaim({sequence, 0, std::min(items, kMaxChunkItems)}), std::memory_order_release);
  return MakeTicket(slot % kClaimSlots, sequence);
}

std::uint32_t TakeBack(WorkerPage& page, std::uint32_t ticket, std::uint32_t keep) {
  std::atomic<std::uint64_t>* const word = WordOf(page, ticket);
  if (word == nullptr) return 0;
  std::uint64_t seen = word->load(std::memory_order_acquire);
  while (true) {
    Claim claim = UnpackClaim(seen);
    if (claim.sequence != TicketSequence(ticket) || claim.cursor > claim.limit) return 0;
    const std::uint32_t unclaimed = claim.limit - claim.cursor;
    if (unclaimed <= keep) return 0;
    claim.limit = claim.cursor + keep;
    if (word->compare_exchange_weak(seen, PackClaim(claim), std::memory_order_acq_rel, std::memory_order_acquire)) {
      return unclaimed - keep;
    }
  }
}

Claim ReadClaim(const WorkerPage& page, std::uint32_t ticket) {
  if (TicketSlot(ticket) >= kClaimSlots) return {};
  const Claim claim = UnpackClaim(page.claims[TicketSlot(ticket)].load(std::memory_order_acquire));
  return claim.sequence == TicketSequence(ticket) ? claim : Claim{};
}

void BeginCrashNote(void* memory, int signal, std::uint64_t address) {
  CrashNote& note = NoteOf(memory);
  note.text_bytes.store(0, std::memory_order_relaxed);
  note.address.store(address, std::memory_order_relaxed);
  note.signal.store(static_cast<std::uint32_t>(signal), std::memory_order_release);
}

void AppendCrashText(void* memory, const char* text, std::size_t bytes) {
  CrashNote& note = NoteOf(memory);
  const std::uint32_t there = note.text_bytes.load(std::memory_order_relaxed);
  if (there > sizeof note.text || bytes > sizeof note.text - there) return;
  std::memcpy(note.text + there, text, bytes);
  note.text_bytes.store(there + static_cast<std::uint32_t>(bytes), std::memory_order_release);
}

std::optional<Crash> ReadCrashNote(const void* memory) {
  const CrashNote& note = NoteOf(const_cast<void*>(memory));
  const std::uint32_t signal = note.signal.load(std::memory_order_acquire);
  if (signal == 0 || signal >= NSIG) return std::nullopt;
  const std::size_t bytes = std::min<std::size_t>(note.text_bytes.load(std::memory_order_acquire), sizeof note.text);
  return Crash{static_cast<int>(signal), note.address.load(std::memory_order_relaxed),
               Readable({note.text, bytes}, sizeof note.text)};
}

}  // namespace poold::wire
