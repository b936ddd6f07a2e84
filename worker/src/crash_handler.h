// The last words of a worker that dies of a fault of its own: signal and frames, into its page (wire/crash_note.h).
//
// Role: handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, on a stack of its own in the worker's thread, so that an
// overflow of the stack is told too (not of stacks of other threads). Then the process dies by the same signal.
// Non-role: what the program, a module or a function handles itself is left to it. With the address or thread sanitizer
// there is nothing of this: they have their own.
// Async-signal-safe: an abort inside of malloc, or a fault inside of the handler, does not hang.
#pragma once

namespace poold::worker {

// Installs the handlers, which clones inherit: in the zygote, where one call serves all of them. Until WatchForCrashes,
// and in children that a worker forks, a fault is what it would be without.
void PrepareForCrashes();
// `page` is that of this worker. Once in a process.
void WatchForCrashes(void* page);

}  // namespace poold::worker
