// Whether this process is the worker (or zygote) itself, or a child that a task forked.
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

// The other threads of this process, and the libraries that made them.
//
// Role: for error messages. A process that is cloned must have one thread; another thread is reported by its name and
//   its library: the library whose code lies outermost on the thread's stack, apart from the C and C++ libraries.

// A thread for people. A plain value.
struct OtherThread {
  std::string name;
  // The file's name without folders, "the program", or empty: not known.
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
