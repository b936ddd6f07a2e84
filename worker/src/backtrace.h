// Where an exception was thrown.
//
// Role: every throw in the process is seen (__cxa_throw is ours) and its frames are kept, as addresses only, for the
// last few exceptions of the thread. Names are looked up when a task failed.
// Performance: some microseconds for a throw; names cost milliseconds at the first failure of a process.
#pragma once

#include <exception>
#include <string>

namespace poold::worker {

// Loads what the first capture needs. Call it before workers are cloned.
void PrepareBacktraces();

// One line for a frame, innermost first, up to where our own code called the task. Empty if the throw was not seen.
std::string BacktraceOf(const std::exception_ptr& thrown);

// "std::runtime_error" for "St13runtime_error".
std::string Demangle(const char* symbol);

}  // namespace poold::worker
