#include "own_process.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>

namespace poold::worker {
namespace {

// In a PID namespace of its own a child may have our number. So the number lies where the kernel clears it in children.
// What shares our memory (vfork) finds it there, and has another number.
pid_t* MakeMark() {
  static pid_t unmarked = 0;
  const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return &unmarked;
  madvise(memory, bytes, MADV_WIPEONFORK);
  return static_cast<pid_t*>(memory);
}

pid_t* owner = nullptr;

// Not what a library may have in place of it, or have kept.
pid_t OwnNumber() { return static_cast<pid_t>(syscall(SYS_getpid)); }

}  // namespace

void OwnThisProcess() {
  if (owner == nullptr) owner = MakeMark();
  *owner = OwnNumber();
}

bool IsOwnProcess() { return owner != nullptr && *owner == OwnNumber(); }

void LeaveIfChild(int code) {
  if (!IsOwnProcess()) _exit(code);
}

}  // namespace poold::worker
