#include "wire/crash_note.h"

#include <signal.h>

#include <algorithm>
#include <cstring>

#include "wire/readable.h"

namespace poold::wire {
namespace {

CrashNote& NoteOf(void* memory) { return *reinterpret_cast<CrashNote*>(static_cast<char*>(memory) + kCrashNoteOffset); }

}  // namespace

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
