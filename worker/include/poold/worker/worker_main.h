// The main function of a worker program.
#pragma once

namespace poold {

// Runs this process as what the daemon started it for: a zygote or a worker. Returns the exit code. Started by hand it
// explains itself: --help, --functions (what is registered), --run (one function, without a daemon).
// REQUIRES: called from main, before any thread is started.
int WorkerMain(int argc, char** argv);

}  // namespace poold
