// Mappings in which the kernel can use huge pages: one fault for 2 MiB of memory in place of 512.
#pragma once

#include <cstddef>

namespace poold::wire {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// As mmap, from the first byte of `fd`. A mapping of kHugePageBytes or more begins at a multiple of kHugePageBytes.
// Errors: MAP_FAILED, and errno.
void* MapIntoHugeRoom(int fd, std::size_t bytes, int protection, int flags);

// Puts the memory into huge pages. REQUIRES: whole huge pages, none of them empty. False, and errno (EINVAL: the kernel
// cannot): some pages are unchanged.
bool CollapseHugePages(void* memory, std::size_t bytes);

}  // namespace poold::wire
