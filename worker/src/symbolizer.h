// The names of functions, in a signal handler.
//
// Role: finds the function of an address in the symbol table (or else the dynamic one) of the file that is mapped
// there. Async-signal-safe: no memory is allocated, no lock taken; files are mapped and read in place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace poold::worker {

struct CodePlace {
  // Demangled, without parameter types: "imaging::resize()"; "??" if it has none.
  char function[256];
  // The file's name without its folders, and the address as its own headers count.
  char file[128];
  std::uintptr_t offset = 0;
};

// False: there is no code of any file.
bool FindCode(std::uintptr_t address, CodePlace* place);

}  // namespace poold::worker
