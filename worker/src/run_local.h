// RunLocal: a worker program that a person starts: lists its functions, or runs one without a daemon.
#pragma once

namespace poold::worker {

// Returns the exit code: 0, 1 (the function failed), 2 (the function was not reached) or 64 (wrong options).
int RunLocal(int argc, char** argv);

}  // namespace poold::worker
