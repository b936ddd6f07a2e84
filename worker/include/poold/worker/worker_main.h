// WorkerMain: the main function of a worker program.
#pragma once

namespace poold {

// Runs this process as the zygote or worker that the daemon started, and ends the process without exit handlers;
// returns an exit code only where the start fails. Started by hand, WorkerMain explains itself (--help, --functions:
// lists the registered functions, --run: runs one function without a daemon) and returns the exit code; 64: wrong
// options.
// REQUIRES: called from main. Other threads may run only where workers are spawned (START_METHOD_SPAWN).
// Example:
//   int main(int argc, char** argv) { return poold::WorkerMain(argc, argv); }
int WorkerMain(int argc, char** argv);

}  // namespace poold
