// ProcessMark: tells the process that made an object from its children, which have a copy of the object.
//
// A child has the memory of its parent, but not its threads: a mutex may be held for ever there, and bytes that the
// child wrote to a socket would be read as the parent's. Therefore every object of a client asks first whether it is in
// its own process. One page of memory, which the kernel clears in every child (MADV_WIPEONFORK), holds the mark,
// whether the child was made by fork() or by a clone that runs no handlers. A child that shares its parent's memory
// (vfork) cannot be told; it may only exec. Thread-safe. Performance: one load.
#pragma once

#include <cstdint>

namespace poold::client::internal {

class ProcessMark {
 public:
  // The mark of the calling process.
  static ProcessMark Here();
  // Notes that this process makes a client. False: a process that this one was forked from has made one.
  static bool NoteClient();

  // Whether the caller is in the process of the mark.
  bool here() const;

 private:
  explicit ProcessMark(std::uint64_t generation) : generation_(generation) {}

  const std::uint64_t generation_;
};

}  // namespace poold::client::internal
