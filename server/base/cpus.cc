#include "base/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/descriptors.h"

namespace poold::base {
namespace {

// Where the controller of processors is seen, and where this process is in it.
struct Hierarchy {
  std::string mount_point;
  std::string root;  // the cgroup that is mounted there
  std::string own;
  bool version_1 = false;
};

bool HasWord(std::string_view list, std::string_view word) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (list.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

// "0::/user.slice" of version 2, "4:cpu,cpuacct:/user.slice" of version 1.
std::optional<std::string> OwnCgroup(const std::string& cgroup, bool version_1) {
  std::istringstream lines(cgroup);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t controllers = line.find(':') + 1;
    const std::size_t path = line.find(':', controllers);
    if (controllers == 0 || path == std::string::npos) continue;
    const std::string_view names = std::string_view(line).substr(controllers, path - controllers);
    if (version_1 ? HasWord(names, "cpu") : names.empty()) return line.substr(path + 1);
  }
  return std::nullopt;
}

// "31 23 0:28 <root> <mount point> <options> ... - <type> <source> <options>"
std::vector<Hierarchy> Hierarchies(const std::string& mountinfo, const std::string& cgroup) {
  std::vector<Hierarchy> found;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    Hierarchy one;
    std::string id, parent, device, type, source, options;
    std::istringstream(line) >> id >> parent >> device >> one.root >> one.mount_point;
    std::istringstream(line.substr(separator + 3)) >> type >> source >> options;
    one.version_1 = type == "cgroup" && HasWord(options, "cpu");
    if (!one.version_1 && type != "cgroup2") continue;
    if (const auto own = OwnCgroup(cgroup, one.version_1)) {
      one.own = *own;
      found.push_back(one);
    }
  }
  return found;
}

// 0: none.
std::uint32_t Rounded(std::int64_t quota, std::int64_t period) {
  return quota <= 0 || period <= 0 ? 0
                                   : static_cast<std::uint32_t>(std::max<std::int64_t>(1, (quota - 1) / period + 1));
}

std::uint32_t QuotaAt(const std::string& folder, bool version_1,
                      const std::function<std::string(const std::string&)>& read) {
  std::int64_t quota = 0, period = 0;
  if (version_1) {
    std::istringstream(read(folder + "/cpu.cfs_quota_us")) >> quota;
    std::istringstream(read(folder + "/cpu.cfs_period_us")) >> period;
  } else {
    std::istringstream(read(folder + "/cpu.max")) >> quota >> period;  // "max 100000": the first is no number
  }
  return Rounded(quota, period);
}

}  // namespace

std::uint32_t QuotaCpus(const std::string& mountinfo, const std::string& cgroup,
                        const std::function<std::string(const std::string& path)>& read) {
  std::uint32_t least = 0;
  for (const Hierarchy& one : Hierarchies(mountinfo, cgroup)) {
    const std::string root = one.root == "/" ? "" : one.root;
    std::string below = one.own.compare(0, root.size(), root) == 0 ? one.own.substr(root.size()) : "";
    while (below.ends_with('/')) below.pop_back();
    while (true) {
      const std::uint32_t here = QuotaAt(one.mount_point + below, one.version_1, read);
      if (here > 0) least = least == 0 ? here : std::min(least, here);
      if (below.empty()) break;
      below.resize(below.rfind('/') == std::string::npos ? 0 : below.rfind('/'));
    }
  }
  return least;
}

std::uint32_t UsableCpus() {
  cpu_set_t set;
  const int affine = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  const auto cpus = static_cast<std::uint32_t>(std::max(affine, 1));
  const std::uint32_t quota =
      QuotaCpus(ReadSurely("/proc/self/mountinfo"), ReadSurely("/proc/self/cgroup"), ReadSurely);
  return quota == 0 ? cpus : std::min(cpus, quota);
}

}  // namespace poold::base
