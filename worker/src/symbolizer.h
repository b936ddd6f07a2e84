// FindCode: names of functions, inside a signal handler.
//
// Role: finds an address's function in the symbol table (or else the dynamic one) of the mapped file.
//   Async-signal-safe: allocates no memory and takes no lock; files are mapped and read in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "wire/unique_fd.h"

namespace poold::worker {

// A place in code, in fixed memory.
struct CodePlace {
  // Demangled, without parameter types: "imaging::resize()"; "??": the function has no name.
  char function[256];
  // The file's name without folders, and the address as the file's headers count.
  char file[128];
  std::uintptr_t offset = 0;
};

// False: the address is in no file's code.
bool FindCode(std::uintptr_t address, CodePlace* place);

// LoadedFile: the file from which code of this process was loaded, for reading names. A plain value.
//
// A file may be replaced or written over after it was loaded: then it describes other code, and reading its mapping may
// raise SIGBUS. Therefore the file is compared with the memory, and a file that may be written to is read as a copy.

struct LoadedFile {
  // The path; the program itself is "/proc/self/exe".
  std::string path;
  // The address of the file's first byte.
  std::uintptr_t begin = 0;
  // The difference between addresses in memory and in the file's headers.
  std::uintptr_t bias = 0;

  // The file of an address. Nothing: the address is in no file.
  static std::optional<LoadedFile> At(std::uintptr_t address);

  // The file's content as it was loaded. None: the file is another one now, or too large.
  wire::UniqueFd OpenToRead() const;
};

}  // namespace poold::worker
