// FramesOfThrow: where exceptions were thrown. The process has its own __cxa_throw, which sees every throw.
//
// Role: keeps the frames of a thread's last few throws, as addresses only. Non-role: names (backtrace.h).
// Threads: any; each sees its own. Performance: some microseconds for a throw.
#pragma once

#include <exception>
#include <span>

namespace poold::worker {

// Loads everything that the first capture needs. Call before workers are cloned.
void PrepareToSeeThrows();

// Return addresses, innermost first, from the function that threw. Empty: the throw was not seen, or too many came
// after it. Valid until the thread throws again.
std::span<void* const> FramesOfThrow(const std::exception_ptr& thrown);

}  // namespace poold::worker
