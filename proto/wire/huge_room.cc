#include "wire/huge_room.h"

#include <sys/mman.h>

#include <cstdint>

namespace poold::wire {
namespace {

// MADV_COLLAPSE; Debian 12's headers do not have it yet.
constexpr int kCollapse = 25;

void Unmap(std::uintptr_t begin, std::uintptr_t end) {
  if (begin < end) munmap(reinterpret_cast<void*>(begin), end - begin);
}

}  // namespace

void* MapIntoHugeRoom(int fd, std::size_t bytes, int protection, int flags) {
  if (bytes < kHugePageBytes) return mmap(nullptr, bytes, protection, flags, fd, 0);
  const std::size_t room_bytes = bytes + kHugePageBytes;
  void* const room = mmap(nullptr, room_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return MAP_FAILED;
  const auto begin = reinterpret_cast<std::uintptr_t>(room);
  const std::uintptr_t place = (begin + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  void* const memory = mmap(reinterpret_cast<void*>(place), bytes, protection, flags | MAP_FIXED, fd, 0);
  constexpr std::uintptr_t kPageMask = 4095;
  const std::uintptr_t end = (place + bytes + kPageMask) & ~kPageMask;
  if (memory == MAP_FAILED) {
    Unmap(begin, begin + room_bytes);
    return MAP_FAILED;
  }
  Unmap(begin, place);
  Unmap(end, (begin + room_bytes + kPageMask) & ~kPageMask);
  return memory;
}

bool CollapseHugePages(void* memory, std::size_t bytes) { return madvise(memory, bytes, kCollapse) == 0; }

}  // namespace poold::wire
