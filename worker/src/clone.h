// Clones: a worker is a copy of its zygote whose parent is the daemon.
//
// Threads: the zygote's only one calls, except for registrations of handlers, which any thread makes.
// Errors: see each function.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace poold::worker {

// The result of a clone.
struct Clone {
  // 0: this process is the clone.
  pid_t pid = 0;
  // In the clone: what went wrong while it started. The clone reports that on its own channel, and ends.
  absl::Status born;
};

// As fork, with the handlers of pthread_atfork around it. But the child's parent is this process's parent, the child
// sends no signal when it ends (exit_signal 0), and it runs in the cgroup whose folder is `cgroup_fd`, if that is not
// -1. An error: there is no clone; RESOURCE_EXHAUSTED: try again later. REQUIRES: this process has one thread when the
// handlers before a fork have run.
absl::StatusOr<Clone> CloneSibling(int cgroup_fd);

// Makes later clones members of a new PID namespace with an init of its own, which dies with this process.
// RESOURCE_EXHAUSTED: try again later; otherwise the system does not allow it.
absl::Status EnterPidNamespace();

// ---- The handlers of pthread_atfork, run around clones that the C library does not see ----
//
// Role: every registration passes through this file on its way to the C library, which runs the handlers around fork()
//   as always; this file runs them around each clone. Libraries that reseed, take locks or end threads there (random
//   numbers, allocators, OpenBLAS) behave as around a fork. A library that registers a handler stays loaded, because
//   its end would not be noticed. Non-role: libraries with a C library of their own (dlmopen) or with RTLD_DEEPBIND are
//   not seen.
// Threads: any thread registers; the zygote calls the rest. Between Prepare and After no code may allocate memory or
//   take a lock, because a handler may hold it.
// Errors: what a handler throws, in words that name its library.

// Runs the handlers before a fork, the last registered first. When one throws, those that ran before it are told that
// there was no fork.
absl::Status PrepareToFork();
// Runs the other handlers, the first registered first: all of them, even if one throws. REQUIRES: PrepareToFork was OK.
absl::Status AfterForkInParent();
absl::Status AfterForkInChild();

// Makes the prepared state of a zygote cheap to clone: puts private memory that this process has touched into huge
// pages, where it nearly fills them. A clone copies one entry for each page: for 200 MB that is 100 in place of 50 000.
// Memory grows by a tenth at most; a small process does not grow. Returns the bytes in huge pages; 0: the kernel
// (before Linux 6.1) or the machine (transparent huge pages are "never") has none. Takes at most about 5 s of processor
// time; failure does no harm.
std::size_t GatherHugePages();

}  // namespace poold::worker
