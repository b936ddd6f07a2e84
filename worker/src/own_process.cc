#include "own_process.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

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

// Set in the memory of whoever left here, which is mostly its own.
volatile bool used_up = false;

void StopIfUsedUp() {
  if (!used_up) return;
  std::fputs("poold worker: a child of vfork came back from the task's function, on the stack of its parent: it may only "
             "execute a program or call _exit\n",
             stderr);
  std::abort();
}

}  // namespace

void OwnThisProcess() {
  if (owner == nullptr) owner = MakeMark();
  *owner = OwnNumber();
}

bool IsOwnProcess() { return owner != nullptr && *owner == OwnNumber(); }

void LeaveIfChild(int code) {
  if (IsOwnProcess()) return StopIfUsedUp();
  used_up = true;
  _exit(code);
}

}  // namespace poold::worker
