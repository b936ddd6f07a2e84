// The bytes of a descriptor as memory that can only be read.
//
// A value with one owner; unmaps when it goes. Keeps no descriptor. Laid out so that memory in huge pages is mapped in
// huge pages.
// Errors: the system's words. Who maps what somebody may still make shorter dies of SIGBUS when it is read: see
// sealed_file.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace poold::wire {

// kAtOnce: every page now, which is cheaper than one after the other. kWhenTouched: costs nothing until it is read.
// kHereAndThere: the same, and what is touched counts as memory of this process in small pages, not in huge ones.
enum class Faults { kHereAndThere, kWhenTouched, kAtOnce };

class MappedFile {
 public:
  MappedFile() = default;
  // The first `bytes` bytes, which are there.
  static absl::StatusOr<MappedFile> Map(int fd, std::uint64_t bytes, Faults faults);
  // All of it, and what others write to it shows. REQUIRES: it is sealed against shrinking.
  static absl::StatusOr<MappedFile> MapShared(int fd);

  MappedFile(MappedFile&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~MappedFile();

  std::string_view view() const { return memory_; }

 private:
  explicit MappedFile(std::string_view memory) : memory_(memory) {}

  std::string_view memory_;
};

}  // namespace poold::wire
