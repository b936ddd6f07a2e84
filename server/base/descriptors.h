// A reserve of descriptors for what exists: live workers, sessions, and the end of processes.
//
// Role: tells the maker of something new (a worker, a zygote, a connection) that it would live on the reserve; opens
//   the files that must be opened now (the list of a process's children, the file that kills a cgroup) with descriptors
//   that were put by at start. Non-role: bounds nothing by itself.
// Threads: any. The limit is read anew each time, because the limit may change while the daemon runs.
#pragma once

#include <string>

#include "wire/unique_fd.h"

namespace poold::base {

// Whether a descriptor that was just made belongs to the reserve, so that something new must not have it.
bool IsReserved(int fd);

// Whether an errno means a shortage that may be over later: of descriptors, processes, memory or room.
bool IsShortage(int error);

// Puts descriptors by. Call early in main: their numbers are low then, which even a limit that is lowered later allows.
void PutDescriptorsBy();
// As open(2), close-on-exec. Uses a descriptor that was put by when there is a shortage; close the file soon.
wire::UniqueFd OpenSurely(const std::string& path, int flags);
// The whole file, opened as by OpenSurely; empty where the file cannot be read.
std::string ReadSurely(const std::string& path);

}  // namespace poold::base
