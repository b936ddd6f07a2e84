// RunLocal: a worker program that a person starts: lists its functions, or runs one without a daemon.
#pragma once

namespace poold::worker {

// The exit code for wrong options, as sysexits.h has it.
inline constexpr int kUsageError = 64;

// Returns the exit code: 0, 1 (the function failed), 2 (the function was not reached) or kUsageError.
int RunLocal(int argc, char** argv);

}  // namespace poold::worker
