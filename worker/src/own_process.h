// Whether this process is the worker (or zygote) itself, or a child that a task forked.
//
// Role: a child never speaks for its parent. Code that would write a result, a report or a crash note, or take the next
//   task, asks first. Async-signal-safe; any thread.
#pragma once

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

}  // namespace poold::worker
