// How many CPUs this process may use: its affinity, and the quota of its cgroup and of those above it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace poold::base {

// At least 1. A quota is rounded up: 1.5 CPUs are 2.
std::uint32_t UsableCpus();

// What the quotas leave, of the texts of /proc/self/mountinfo and /proc/self/cgroup; 0: there is none. `read` gives a
// file's text, "" where there is no such file. cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us).
std::uint32_t QuotaCpus(const std::string& mountinfo, const std::string& cgroup,
                        const std::function<std::string(const std::string& path)>& read);

}  // namespace poold::base
