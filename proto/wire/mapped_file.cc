#include "wire/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace poold::wire {
namespace {

// MADV_COLLAPSE; Debian 12's headers do not have it yet.
constexpr int kCollapse = 25;

void Unmap(std::uintptr_t begin, std::uintptr_t end) {
  if (begin < end) munmap(reinterpret_cast<void*>(begin), end - begin);
}

}  // namespace

absl::StatusOr<MappedFile> MappedFile::Map(int fd, std::uint64_t bytes, Faults faults) {
  if (bytes == 0) return MappedFile();
  // Private: kernels before 6.7 share nothing that is sealed against writing, not even for reading.
  const int flags = MAP_PRIVATE | MAP_NORESERVE | (faults == Faults::kAtOnce ? MAP_POPULATE : 0);
  void* const memory = faults == Faults::kHereAndThere ? mmap(nullptr, bytes, PROT_READ, flags, fd, 0)
                                                       : MapIntoHugeRoom(fd, bytes, PROT_READ, flags);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot map ", bytes, " bytes: ", std::strerror(errno)));
  }
  return MappedFile(std::string_view(static_cast<const char*>(memory), bytes));
}

absl::StatusOr<MappedFile> MappedFile::MapShared(int fd) {
  struct stat found {};
  void* memory = MAP_FAILED;
  if (fstat(fd, &found) == 0 && found.st_size > 0) {
    memory = MapIntoHugeRoom(fd, static_cast<std::size_t>(found.st_size), PROT_READ, MAP_SHARED | MAP_NORESERVE);
  }
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot map ", found.st_size, " bytes: ", std::strerror(errno)));
  }
  return MappedFile(std::string_view(static_cast<const char*>(memory), static_cast<std::size_t>(found.st_size)));
}

MappedFile::~MappedFile() {
  if (!memory_.empty()) munmap(const_cast<char*>(memory_.data()), memory_.size());
}

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
