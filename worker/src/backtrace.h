// BacktraceOf: the place where an exception was thrown, in words.
//
// Performance: a frame's names cost some milliseconds when the frame is met for the first time in a process, and a
//   fraction of a microsecond afterwards.
// Thread safety: none: the worker's own thread. Of a file that was replaced since it was loaded only names that the
//   loader knows are told, because the file's names would be wrong.
#pragma once

#include <exception>
#include <string>

namespace poold::worker {

// One line for a frame, innermost first, up to the code that called the task: "resize(int) (image.cc:12)". Empty: the
// throw was not seen.
std::string BacktraceOf(const std::exception_ptr& thrown);

// "std::runtime_error" for "St13runtime_error"; a text that is no symbol is returned unchanged.
std::string Demangle(const char* symbol);

}  // namespace poold::worker
