// PrivateCopies: modules in memory that no other process can change.
//
// Role: loaded code shows its file as the file is now: writing over a module (cp, not mv) would change it under every
//   process that runs it. Therefore each mapping of a module, and of the libraries that came with it from its folder or
//   from below, is replaced in place by one of the same content without a foreign file behind it. Addresses and names
//   stay: $ORIGIN, debuggers and backtraces work as before. Clones share that memory as they would share the file's.
//   Non-role: the program itself, which the kernel protects, and libraries elsewhere. Debug and symbol tables, which
//   are not loaded, are read from the file if the file is still the same.
// Threads: not thread-safe. With an address or thread sanitizer the class does nothing, because their reports name
//   files by their mappings.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace poold::worker {

class PrivateCopies {
 public:
  // Libraries that are loaded now belong to no module.
  PrivateCopies();

  // Call before a module is loaded.
  void Before(const std::string& module);
  // Call after a module was loaded: copies it. FAILED_PRECONDITION: the file was written to meanwhile, so that the
  // loaded content is not known. A mapping that cannot be copied (no memory, no right, too large) stays as it is, which
  // is no error. While other threads run, writable mappings stay, too.
  absl::Status After(const std::string& module);

  // Copies libraries of those folders that modules have loaded since.
  void CopyMore();

 private:
  std::vector<std::string> folders_;
  // The addresses of libraries that are copied, or are not to be.
  std::set<std::uintptr_t> seen_;
  // The module that is being loaded, before it was.
  std::optional<struct stat> before_;
};

}  // namespace poold::worker
