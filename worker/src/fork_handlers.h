// The handlers of pthread_atfork, for clones of which the C library does not know.
//
// Role: every registration passes through here on its way to the C library, which runs it around fork() as ever; we run
// it around each clone. What reseeds, takes locks or ends threads there (random numbers, allocators, OpenBLAS) finds
// what it would find around a fork. A library that registers any stays loaded, since nobody tells us of its end.
// Non-role: knows nothing of libraries with a C library of their own (dlmopen) or with RTLD_DEEPBIND.
// Threads: registration from any. The others are the zygote's; between Prepare and After nothing may allocate memory or
// take a lock, because a handler may hold it.
// Errors: what a handler throws, in words that name its library.
#pragma once

#include "absl/status/status.h"

namespace poold::worker {

// The handlers before a fork, the last registered first. When one throws, those that ran before it are told that
// nothing came of it.
absl::Status PrepareToFork();
// The others, the first registered first: all of them, also when one throws. REQUIRES: PrepareToFork was OK.
absl::Status AfterForkInParent();
absl::Status AfterForkInChild();

}  // namespace poold::worker
