// The main function of a worker program.
#pragma once

namespace poold {

// Runs this process as what the daemon started it for, a zygote or a worker, and then ends it, without exit handlers.
// Started by hand it explains itself (--help, --functions: what is registered, --run: one function, without a daemon)
// and returns the exit code, as it does where it was started wrongly.
// REQUIRES: called from main. Threads may run before only where workers are spawned (START_METHOD_SPAWN).
int WorkerMain(int argc, char** argv);

}  // namespace poold
