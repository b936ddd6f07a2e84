// Tells the process that made a thing from its children, which have a copy of it.
//
// A child has the memory of its parent, but not its threads: a mutex may be held for ever there, and what it wrote to a
// socket would be read as the parent's. So whatever belongs to a client asks first whether it is at home.
// How: one page of memory that the kernel clears in every child (MADV_WIPEONFORK), whether it was made by fork() or by
// a clone that runs no handlers. A child that shares its parent's memory (vfork) cannot be told; it may only exec.
// Thread-safe. Performance: one load.
#pragma once

#include <cstdint>

namespace poold::client::internal {

class ProcessMark {
 public:
  // Of the process that calls.
  static ProcessMark Here();
  // Notes that the caller's process makes a client. False: one that it was forked from has made one.
  static bool NoteClient();

  bool here() const;

 private:
  explicit ProcessMark(std::uint64_t generation) : generation_(generation) {}

  const std::uint64_t generation_;
};

}  // namespace poold::client::internal
