// What a worker that dies of a fault of its own leaves in its page (worker_page.h): the signal and where it happened.
//
// Role: the writing side is called from a signal handler: it is async-signal-safe, and what is written so far is
// readable although the handler itself dies. The reading side looks at it after the worker's death. Trust: the reader
// treats everything as hostile; what it returns is bounded and valid UTF-8.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/worker_page.h"

namespace poold::wire {

// Zero where the worker did not write it.
struct CrashNote {
  std::atomic<std::uint32_t> signal;
  std::atomic<std::uint32_t> text_bytes;
  std::atomic<std::uint64_t> address;
  char text[kCrashNoteBytes - 16];
};
static_assert(sizeof(CrashNote) == kCrashNoteBytes);

// `memory` is that of the page. Called by the worker.
void BeginCrashNote(void* memory, int signal, std::uint64_t address);
// What has no room is left out.
void AppendCrashText(void* memory, const char* text, std::size_t bytes);

struct Crash {
  int signal = 0;
  // What could not be reached (SIGSEGV, SIGBUS) or done (SIGILL, SIGFPE); 0: not known.
  std::uint64_t address = 0;
  // One line for a frame, innermost first, as Failure.backtrace: "resize(int) (imaging.so+0x1234)".
  std::string backtrace;
};

// Nothing: it did not die of a fault, or came to no word about it. Called by the daemon.
std::optional<Crash> ReadCrashNote(const void* memory);

}  // namespace poold::wire
