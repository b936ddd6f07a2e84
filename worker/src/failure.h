// Task failures: exceptions with the place where they were thrown, as messages.
//
// Threads: see each function. Errors: none.
#pragma once

#include <exception>
#include <span>
#include <string>

#include "poold/internal/worker.pb.h"
#include "poold/worker/call.h"

namespace poold::worker {

// The failure of the exception that is being handled: type, message, backtrace. REQUIRES: called in a handler.
TaskFailure FailureOfException();

// The failure as a message: valid UTF-8, texts cut at 64 KiB and the type at 4 KiB.
internal::Failure ToProto(const TaskFailure& failure);

// ---- The place of a throw ----
//
// Performance: a frame's names cost some milliseconds when the frame is met for the first time in a process, and a
//   fraction of a microsecond afterwards.
// Thread safety: none: the worker's own thread. Of a file that was replaced since it was loaded only names that the
//   loader knows are told, because the file's names would be wrong.

// One line for a frame, innermost first, up to the code that called the task: "resize(int) (image.cc:12)". Empty: the
// throw was not seen.
std::string BacktraceOf(const std::exception_ptr& thrown);

// "std::runtime_error" for "St13runtime_error"; a text that is no symbol is returned unchanged.
std::string Demangle(const char* symbol);

// The process has its own __cxa_throw, which sees every throw and keeps the frames of each thread's last few throws, as
// addresses. That costs some microseconds for a throw.

// Loads everything that the first throw needs. Call before workers are cloned.
void PrepareToSeeThrows();

// Return addresses, innermost first, from the function that threw. Empty: the throw was not seen, or too many came
// after it. Valid until the thread throws again.
std::span<void* const> FramesOfThrow(const std::exception_ptr& thrown);

}  // namespace poold::worker
