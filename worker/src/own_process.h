// Which process this is: the worker (or zygote) itself, or a child that a task forked.
//
// Role: a child never speaks for its parent. Whatever would write a result, a report or a crash note, or take the next
// task, asks here first. Async-signal-safe; any thread.
#pragma once

namespace poold::worker {

// From here on this process is the one that speaks. At start, and first of all in each clone.
void OwnThisProcess();

// False in children that were forked, vforked or cloned since, whatever they left unsaid to the C library, and in any
// PID namespace. Performance: one system call.
bool IsOwnProcess();

// What the end of a child that came back from its task's function says: it returned, or it threw.
inline constexpr int kChildReturned = 0;
inline constexpr int kChildThrew = 1;

// Ends a child, at once: it runs no exit handlers and does not write stdio's buffers, which are its parent's. A child
// of vfork shares its parent's memory, and has overwritten the stack on which the parent returns: there the parent ends
// too, with SIGABRT and a message.
void LeaveIfChild(int code);

}  // namespace poold::worker
