#include "wire/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "wire/huge_room.h"

namespace poold::wire {

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

}  // namespace poold::wire
