// The worker's own process: whether this process is the worker (or zygote) itself or a child that a task forked, and
// which other threads the process has.
//
// Role: a child never speaks for its parent. Code that would write a result, a report or a crash note, or take the next
//   task, asks first. Async-signal-safe; any thread.
#pragma once

#include <string>
#include <vector>

namespace poold::worker {

// Makes this process the one that speaks. Call at start, and first of all in each clone.
void OwnThisProcess();

// False in children that were made since, by fork, vfork or a clone that the C library does not see, and in any PID
// namespace. Performance: one system call.
bool IsOwnProcess();

// The exit status of a child that came back from its task's function: it returned, or it threw.
inline constexpr int kChildReturned = 0;
inline constexpr int kChildThrew = 1;

// Ends a child at once, without exit handlers and without writing stdio's buffers, which belong to its parent. A child
// of vfork shares its parent's memory, and has overwritten the stack on which the parent returns: then the parent ends
// too, with SIGABRT and a message.
void LeaveIfChild(int code);

// A thread of this process beside the calling one, for error messages: a process that is cloned must have one thread. A
// plain value.
struct OtherThread {
  std::string name;
  // The library that made the thread: the one whose code lies outermost on the thread's stack, apart from the C and C++
  // libraries. The file's name without folders, "the program", or empty: not known.
  std::string library;
};

// Whether this process has one thread. Does not allocate memory.
bool IsAlone();
// As IsAlone, but waits up to about 0.2 s for threads that were joined and still disappear. Does not allocate memory.
bool BecomesAlone();

// The threads beside the calling one.
std::vector<OtherThread> OtherThreads();

// "'reaper' of libzmq.so.5, 3 times 'pool-worker' of libgomp.so.1".
std::string Describe(const std::vector<OtherThread>& threads);

}  // namespace poold::worker
