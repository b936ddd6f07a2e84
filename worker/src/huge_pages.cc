#include "huge_pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "wire/huge_room.h"

namespace poold::worker {
namespace {

constexpr std::uintptr_t kHugeBytes = wire::kHugePageBytes;
// Of processor time. It copies what it gathers, some GB a second; where memory is in pieces it has to move much more.
constexpr int kMostSeconds = 5;

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// Whole seconds of processor time that this process has used.
long SecondsUsed() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec;
}

bool Wanted() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  return std::getline(file, text) && text.find("[never]") == std::string::npos;
}

// Private, writable and of no file: what the preload made. Cut to whole huge pages. Not what is reserved and hardly
// used (a sanitizer's shadow is terabytes).
std::vector<Range> PrivateMemory() {
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/smaps");
  Range range;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, inode = 0, resident_kib = 0;
    if (std::sscanf(line.c_str(), "Rss: %lu", &resident_kib) == 1) {
      if (range.begin < range.end && resident_kib >= (range.end - range.begin) / 1024 / 16) ranges.push_back(range);
      range = {};
    }
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &begin, &end, rights, &inode) != 4) continue;
    if (std::string(rights) != "rw-p" || inode != 0 || line.find("[stack]") != std::string::npos) continue;
    range = {(begin + kHugeBytes - 1) & ~(kHugeBytes - 1), end & ~(kHugeBytes - 1)};
  }
  return ranges;
}

bool NearlyFull(std::uintptr_t at, std::vector<unsigned char>* pages) {
  if (mincore(reinterpret_cast<void*>(at), kHugeBytes, pages->data()) != 0) return false;
  const auto resident = std::count_if(pages->begin(), pages->end(), [](unsigned char one) { return one & 1; });
  return static_cast<std::size_t>(resident) * 10 >= pages->size() * 9;
}

}  // namespace

std::size_t GatherHugePages() {
  if (!Wanted()) return 0;
  const long give_up_at = SecondsUsed() + kMostSeconds;
  std::vector<unsigned char> pages(kHugeBytes / static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  std::size_t gathered = 0;
  for (const Range& range : PrivateMemory()) {
    for (std::uintptr_t at = range.begin; at < range.end; at += kHugeBytes) {
      if (SecondsUsed() >= give_up_at) return gathered;
      if (!NearlyFull(at, &pages)) continue;
      if (wire::CollapseHugePages(reinterpret_cast<void*>(at), kHugeBytes)) {
        gathered += kHugeBytes;
      } else if (errno == EINVAL && gathered == 0) {
        return 0;  // a kernel that cannot
      }
    }
  }
  return gathered;
}

}  // namespace poold::worker
