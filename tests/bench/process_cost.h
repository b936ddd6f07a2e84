// What processes cost. Zero for one that is gone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace poold::bench {

// CPU time of all its threads, in seconds, to the nanosecond.
double CpuSeconds(pid_t pid);
// Of its threads with this name only.
double CpuSeconds(pid_t pid, const std::string& thread_name);
// Of each of its threads.
std::map<pid_t, double> ThreadSeconds(pid_t pid);
// How often its threads went to sleep, and so had to be woken. Of the threads that it has now.
std::uint64_t Wakes(pid_t pid);
std::uint64_t RssBytes(pid_t pid);
// Resident memory, where what several processes share counts in parts.
std::uint64_t PssBytes(pid_t pid);
// The ids of its threads.
std::vector<pid_t> Threads(pid_t pid);
// Its children, their children, and so on.
std::vector<pid_t> Descendants(pid_t pid);

}  // namespace poold::bench
