// FindCode: names of functions, inside a signal handler.
//
// Role: finds an address's function in the symbol table (or else the dynamic one) of the mapped file.
//   Async-signal-safe: allocates no memory and takes no lock; files are mapped and read in place.
#pragma once

#include <cstddef>
#include <cstdint>

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

}  // namespace poold::worker
