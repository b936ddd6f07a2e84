// Where exceptions were thrown: every throw in the process is seen, because __cxa_throw is ours.
//
// Role: keeps the frames of the last few throws of a thread, as addresses only. Non-role: names (backtrace.h).
// Threads: any; each sees its own. Performance: some microseconds for a throw.
#pragma once

#include <exception>
#include <span>

namespace poold::worker {

// Loads what the first capture needs. Call it before workers are cloned.
void PrepareToSeeThrows();

// Return addresses, innermost first, beginning in the function that threw. Empty: the throw was not seen, or too many
// came after it. Valid until the thread throws again.
std::span<void* const> FramesOfThrow(const std::exception_ptr& thrown);

}  // namespace poold::worker
