// What processes cost. Zero for one that is gone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace poold::bench {

// CPU time of all its threads, in seconds, to the nanosecond.
double CpuSeconds(pid_t pid);
std::uint64_t RssBytes(pid_t pid);
// Resident memory, where what several processes share counts in parts.
std::uint64_t PssBytes(pid_t pid);
std::uint32_t ThreadCount(pid_t pid);
// Its children, their children, and so on.
std::vector<pid_t> Descendants(pid_t pid);

}  // namespace poold::bench
