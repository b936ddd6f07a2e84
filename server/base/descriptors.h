// Descriptors of the daemon are kept in reserve for what exists: live workers, sessions, and who ends them.
//
// Role: tells who makes something new (a worker, a zygote, a connection) that it would live on the reserve; opens, out
// of a few descriptors that were put by at start, what has to be opened now (whose child is whose, the file that kills
// a cgroup). Non-role: bounds nothing by itself. Threads: any. The limit is read anew each time: it may change while
// the daemon runs.
#pragma once

#include <string>

#include "wire/unique_fd.h"

namespace poold::base {

// Of a descriptor that was just made: so few are left that something new is not to have it.
bool IsReserved(int fd);

// Of an errno: a shortage of the machine or of the daemon, which may be over later: descriptors, processes, memory,
// room.
bool IsShortage(int error);

// Puts descriptors by. Early in main: theirs are low numbers, which even a limit that is lowered later allows.
void PutDescriptorsBy();
// As open(2), close-on-exec. In a shortage with one that was put by; it is to be closed again soon.
wire::UniqueFd OpenSurely(const std::string& path, int flags);
// All of a file; empty where it cannot be read.
std::string ReadSurely(const std::string& path);

}  // namespace poold::base
