// The handlers of pthread_atfork, run around clones that the C library does not see.
//
// Role: every registration passes through this file on its way to the C library, which runs the handlers around fork()
//   as always; this file runs them around each clone. Libraries that reseed, take locks or end threads there (random
//   numbers, allocators, OpenBLAS) behave as around a fork. A library that registers a handler stays loaded, because
//   its end would not be noticed. Non-role: libraries with a C library of their own (dlmopen) or with RTLD_DEEPBIND are
//   not seen.
// Threads: any thread registers; the zygote calls the rest. Between Prepare and After no code may allocate memory or
//   take a lock, because a handler may hold it.
// Errors: what a handler throws, in words that name its library.
#pragma once

#include "absl/status/status.h"

namespace poold::worker {

// Runs the handlers before a fork, the last registered first. When one throws, those that ran before it are told that
// there was no fork.
absl::Status PrepareToFork();
// Runs the other handlers, the first registered first: all of them, even if one throws. REQUIRES: PrepareToFork was OK.
absl::Status AfterForkInParent();
absl::Status AfterForkInChild();

}  // namespace poold::worker
