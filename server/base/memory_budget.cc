#include "base/memory_budget.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

namespace poold::base {
namespace {

// Where version 1 has no limit it says a number near 2^63.
constexpr std::uint64_t kNoLimitFrom = 1ull << 60;

// kUnlimited: there is no such file, or no number in it.
std::uint64_t ReadLimit(const std::string& path) {
  std::uint64_t limit = 0;
  std::ifstream file(path);
  return file >> limit && limit < kNoLimitFrom ? limit : MemoryBounds::kUnlimited;
}

// Of the folder `path` below `mount` and of those above it. A path that is not there (another namespace's) is passed
// over.
std::uint64_t LeastAbove(const std::string& mount, std::string path, const char* file) {
  std::uint64_t least = MemoryBounds::kUnlimited;
  while (true) {
    least = std::min(least, ReadLimit(mount + path + "/" + file));
    if (path.empty()) return least;
    path.erase(path.rfind('/'));
  }
}

// A line of /proc/self/cgroup: number, controllers (none: version 2), path.
std::uint64_t LimitOfLine(const std::string& root, const std::string& line) {
  const std::size_t first = line.find(':');
  const std::size_t second = line.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return MemoryBounds::kUnlimited;
  const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
  std::string path = line.substr(second + 1);
  if (path == "/" || !path.starts_with('/')) path.clear();
  const std::string mounts = root + "/sys/fs/cgroup";
  if (controllers == ",,") {
    return std::min(LeastAbove(mounts, path, "memory.max"), LeastAbove(mounts + "/unified", path, "memory.max"));
  }
  if (controllers.find(",memory,") == std::string::npos) return MemoryBounds::kUnlimited;
  return LeastAbove(mounts + "/memory", path, "memory.limit_in_bytes");
}

std::uint64_t CgroupLimit(const std::string& root) {
  std::uint64_t least = MemoryBounds::kUnlimited;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) least = std::min(least, LimitOfLine(root, line));
  return least;
}

std::uint64_t PageBytes() { return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); }

std::uint64_t MappedBytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * PageBytes();
}

std::uint64_t AddressSpaceLeft() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return MemoryBounds::kUnlimited;
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, MappedBytes());
}

// Less is not worth it.
constexpr std::uint64_t kWorthIt = 32ull << 20;
constexpr std::int64_t kSoon = 1'000'000'000;
// While it does not help: what is resident is in use by somebody who does not count it.
constexpr std::int64_t kLongestReturnPause = 60 * kSoon;

std::uint64_t Difference(std::uint64_t from, std::uint64_t less) { return from - std::min(from, less); }

}  // namespace

MemoryBounds FindMemoryBounds(const std::string& root) {
  MemoryBounds bounds;
  bounds.cgroup = CgroupLimit(root);
  bounds.machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * PageBytes();
  bounds.address_space = AddressSpaceLeft();
  return bounds;
}

std::uint64_t AutomaticBudget(const MemoryBounds& bounds) {
  return std::min({bounds.cgroup, bounds.machine, bounds.address_space}) / 2;
}

std::uint64_t ResidentBytes() {
  std::uint64_t mapped = 0;
  std::uint64_t resident = 0;
  std::uint64_t of_files = 0;
  std::ifstream("/proc/self/statm") >> mapped >> resident >> of_files;
  return (resident - std::min(resident, of_files)) * PageBytes();
}

// Each part is there for itself: whoever fills one takes nothing of the others.
MemoryBudget::MemoryBudget(std::uint64_t bytes)
    : all(std::make_shared<Quota>(bytes)),
      arguments(Part(4)),
      half_read(Part(2)),
      uploads(Part(1)),
      unsent(Part(1)),
      watchers(Part(1)),
      arenas(Part(2)) {}

std::shared_ptr<Quota> MemoryBudget::Part(std::uint64_t sixteenths) const {
  return std::make_shared<Quota>(Sixteenths(sixteenths), all);
}

MemoryReturn::MemoryReturn() : MemoryReturn({ResidentBytes, [] { malloc_trim(0); }}) {}

std::int64_t MemoryReturn::Look(std::int64_t now, std::uint64_t used_bytes) {
  const std::uint64_t resident = system_.resident_bytes();
  if (!looked_) baseline_ = Difference(resident, used_bytes);
  looked_ = true;
  const std::uint64_t excess = Difference(resident, used_bytes + baseline_);
  if (excess < kWorthIt) {
    pause_ = kSoon;
    return kNoHurry;
  }
  const bool fell = used_bytes + kWorthIt <= used_then_;
  if (now < next_ && !fell) return std::min(next_ - now, kNoHurry);
  used_then_ = used_bytes;
  system_.give_back();
  const bool helped = Difference(resident, system_.resident_bytes()) >= excess / 4;
  pause_ = helped ? kSoon : std::min(2 * pause_, kLongestReturnPause);
  next_ = now + pause_;
  return std::min(pause_, kNoHurry);
}

}  // namespace poold::base
