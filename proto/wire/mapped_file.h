// MappedFile: the bytes of a descriptor as read-only memory; and mappings in which the kernel can use huge pages.
//
// Ownership: a value with one owner; unmaps at its end. Keeps no descriptor. Memory in huge pages is mapped in huge
//   pages.
// Errors: RESOURCE_EXHAUSTED, with the system's words. Reading bytes that another process has cut off raises SIGBUS:
//   map files that cannot shrink (memory_file.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace poold::wire {

// When pages are mapped. kAtOnce: all of them now, which is cheaper than one after the other. kWhenTouched: each when
// it is read. kHereAndThere: as kWhenTouched, and touched memory counts for this process in small pages.
enum class Faults { kHereAndThere, kWhenTouched, kAtOnce };

class MappedFile {
 public:
  MappedFile() = default;
  // Maps the first `bytes` bytes. REQUIRES: the file has them.
  static absl::StatusOr<MappedFile> Map(int fd, std::uint64_t bytes, Faults faults);
  // Maps the whole file; later writes of others show. REQUIRES: the file is sealed against shrinking.
  static absl::StatusOr<MappedFile> MapShared(int fd);

  MappedFile(MappedFile&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~MappedFile();

  // Valid as long as this object.
  std::string_view view() const { return memory_; }

 private:
  explicit MappedFile(std::string_view memory) : memory_(memory) {}

  std::string_view memory_;
};

// One fault maps so much memory, in place of 512 faults for pages of 4 KiB.
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// As mmap, from the first byte of `fd`. A mapping of kHugePageBytes or more begins at a multiple of kHugePageBytes.
// Errors: MAP_FAILED, and errno.
void* MapIntoHugeRoom(int fd, std::size_t bytes, int protection, int flags);

// Puts the memory into huge pages. REQUIRES: whole huge pages, none of them empty. False, and errno (EINVAL: the kernel
// cannot): some pages are unchanged.
bool CollapseHugePages(void* memory, std::size_t bytes);

}  // namespace poold::wire
