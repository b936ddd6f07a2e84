// Mappings that lie so that the kernel can use huge pages for them: 2 MiB of memory for one fault, not for 512; and the
// use of them.
#pragma once

#include <cstddef>

namespace poold::wire {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// As mmap, from the beginning of `fd`; what is large begins at a multiple of kHugePageBytes. MAP_FAILED, and errno.
void* MapIntoHugeRoom(int fd, std::size_t bytes, int protection, int flags);

// Puts what is in memory there into huge pages: whole ones, none of them empty. False, and errno (EINVAL: a kernel that
// cannot): some of it is as it was.
bool CollapseHugePages(void* memory, std::size_t bytes);

}  // namespace poold::wire
