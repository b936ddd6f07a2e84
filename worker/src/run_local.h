// A worker program that a person starts: it lists what it can run, or runs one function without a daemon.
#pragma once

namespace poold::worker {

// Returns the exit code.
int RunLocal(int argc, char** argv);

}  // namespace poold::worker
