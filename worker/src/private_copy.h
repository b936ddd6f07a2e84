// Modules in memory of our own.
//
// Role: what is loaded of a file shows the file as it is now: whoever writes over a module (cp, not mv) would pull it
// from under all who run it. So each mapping of a module, and of the libraries that came with it from its folder or
// from below, is replaced, where it is, by one of the same content behind which no file of others stands. Addresses and
// names stay: $ORIGIN, debuggers and backtraces work as ever. Clones share that memory as they would share the file's.
// Non-role: the program itself, to which the kernel lets nobody write, and libraries elsewhere. Debug and symbol
// tables, which are not loaded: they are read from the file, if it is still the same. Not thread-safe. With an address
// or thread sanitizer it does nothing: their reports name files by their mappings.
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
  // What is loaded by now is none of the modules'.
  PrivateCopies();

  // Before a module is loaded, and behind it. FAILED_PRECONDITION: the file was written to meanwhile, so nobody knows
  // what was loaded. What cannot be copied (no memory, no right, far too large) stays as it is, which is no error.
  // Where other threads run, what can be written to stays, too.
  void Before(const std::string& module);
  absl::Status After(const std::string& module);

  // The libraries that modules have loaded since, from those folders.
  void CopyMore();

 private:
  std::vector<std::string> folders_;
  // Where those begin that are not to be copied, or are.
  std::set<std::uintptr_t> seen_;
  // Of the module that is loaded now.
  std::optional<struct stat> before_;
};

}  // namespace poold::worker
