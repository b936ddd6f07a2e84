// The crash note of a worker that dies of a fault of its own: signal and frames, written into its page
// (wire/worker_page.h).
//
// Role: handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT on a stack of its own in the worker's thread, so that an
//   overflow of the stack is noted too (not of other threads' stacks). Then the process dies by the same signal.
//   Non-role: signals that the program, a module or a function handles itself are left to it. With the address or
//   thread sanitizer nothing is installed, because they have handlers of their own.
// Threads: async-signal-safe: an abort inside of malloc, or a fault inside of the handler, does not hang.
#pragma once

namespace poold::worker {

// Installs the handlers in the zygote, for all its clones. The handlers have no effect before WatchForCrashes, nor in
// children that a worker forks.
void PrepareForCrashes();
// Writes notes into this worker's page from now on. Once in a process.
void WatchForCrashes(void* page);

}  // namespace poold::worker
