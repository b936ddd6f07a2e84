// FileMayHave: the limit of file sizes of this process (RLIMIT_FSIZE).
#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace poold::wire {

// Whether a file may have so many bytes. A write beyond the limit raises SIGXFSZ, in memory files too.
inline bool FileMayHave(std::uint64_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

}  // namespace poold::wire
