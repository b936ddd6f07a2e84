// Whether the limit of this process lets a file have so many bytes (RLIMIT_FSIZE): who writes beyond it gets a SIGXFSZ,
// in memory files, too.
#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace poold::wire {

inline bool FileMayHave(std::uint64_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

}  // namespace poold::wire
