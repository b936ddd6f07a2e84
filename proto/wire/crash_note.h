// CrashNote: the last note of a worker that dies of a fault of its own, in its page (worker_page.h): the signal and the
// stack.
//
// Role: a signal handler writes the note: the writing functions are async-signal-safe, and the text so far is readable
//   even if the handler dies. The daemon reads the note after the worker's death. Trust: the reader treats everything
//   as hostile; its result is bounded and valid UTF-8.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/worker_page.h"

namespace poold::wire {

// The note in memory; zeros until the worker writes it.
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
