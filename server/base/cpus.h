// The number of CPUs that this process may use: its affinity, and the quota of its cgroup and of the cgroups above.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace poold::base {

// At least 1. A quota is rounded up: 1.5 CPUs count as 2. Reads files in /proc and /sys.
std::uint32_t UsableCpus();

// The CPUs that the quotas leave, from the texts of /proc/self/mountinfo and /proc/self/cgroup; 0: there is no quota.
// `read` returns a file's text, "" where there is no such file. Knows cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us).
std::uint32_t QuotaCpus(const std::string& mountinfo, const std::string& cgroup,
                        const std::function<std::string(const std::string& path)>& read);

}  // namespace poold::base
