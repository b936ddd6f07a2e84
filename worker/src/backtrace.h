// Where an exception was thrown, in words.
//
// Performance: the names of a frame cost some milliseconds when it is met first in a process, and a fraction of a
// microsecond from then on. Not thread-safe: the worker's own thread.
// A file that was replaced since it was loaded would tell wrong names: of it only those are told that the loader knows.
#pragma once

#include <exception>
#include <string>

namespace poold::worker {

// One line for a frame, innermost first, up to where our own code called the task: "resize(int) (image.cc:12)". Empty
// if the throw was not seen.
std::string BacktraceOf(const std::exception_ptr& thrown);

// "std::runtime_error" for "St13runtime_error".
std::string Demangle(const char* symbol);

}  // namespace poold::worker
