// The file that code of this process was loaded from, to be read for names.
//
// A file may be replaced, or written over, since it was loaded: then it tells of other code, and reading it where it is
// mapped may end in SIGBUS. So it is compared with what lies in memory, and of what may be written to a copy is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "wire/unique_fd.h"

namespace poold::worker {

struct LoadedFile {
  // The program itself: "/proc/self/exe".
  std::string path;
  // Where its first byte lies in memory.
  std::uintptr_t begin = 0;
  // What is added to the addresses in its own headers.
  std::uintptr_t bias = 0;

  // Nothing: the address is in no file.
  static std::optional<LoadedFile> At(std::uintptr_t address);

  // Its content as it was loaded; none: it is another one now, or much too large.
  wire::UniqueFd OpenToRead() const;
};

}  // namespace poold::worker
