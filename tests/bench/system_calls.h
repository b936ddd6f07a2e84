#pragma once

#include <sys/types.h>

#include <vector>

#include "wire/unique_fd.h"

namespace poold::bench {

// System calls: all of them, and of these those that read and that write descriptors (read, recvmsg, ...).
struct Calls {
  double all = 0;
  double reads = 0;
  double writes = 0;
};

// Counts the system calls of some processes from its construction on: of the threads that they have, and of those that
// these start. By the kernel's tracepoints, which cost every process a little: do not measure time meanwhile.
// Move-only.
class CallCounter {
 public:
  // Whether the kernel lets us: needs tracefs where it usually is, and the right to use it.
  static bool Possible();

  explicit CallCounter(const std::vector<pid_t>& processes);
  Calls Sum() const;

 private:
  std::vector<wire::UniqueFd> all_;
  std::vector<wire::UniqueFd> reads_;
  std::vector<wire::UniqueFd> writes_;
};

}  // namespace poold::bench
