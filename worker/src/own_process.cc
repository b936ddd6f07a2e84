#include "own_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>

namespace poold::worker {
namespace {

// In a PID namespace of its own a child may have our number. So the number lies where the kernel clears it in children.
// What shares our memory (vfork) finds it there, and has another number.
struct Mark {
  pid_t* owner = nullptr;
  bool cleared_in_children = false;
};
Mark mark;

Mark MakeMark() {
  static pid_t unmarked = 0;
  const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {&unmarked, false};
  return {static_cast<pid_t*>(memory), madvise(memory, bytes, MADV_WIPEONFORK) == 0};
}

// Not what a library may have in place of it, or have kept.
pid_t OwnNumber() { return static_cast<pid_t>(syscall(SYS_getpid)); }

bool SharesParentsMemory() { return mark.cleared_in_children && *mark.owner != 0; }

// It stands still in vfork until we leave, and takes the signal before it runs on.
void EndParent() {
  constexpr std::string_view kWhy =
      "poold worker: a child of vfork came back from the task's function, on the stack of its parent: it may only "
      "execute "
      "a program or call _exit\n";
  if (write(STDERR_FILENO, kWhy.data(), kWhy.size()) < 0) {
    // Nobody reads it.
  }
  kill(*mark.owner, SIGABRT);
}

}  // namespace

void OwnThisProcess() {
  if (mark.owner == nullptr) mark = MakeMark();
  *mark.owner = OwnNumber();
}

bool IsOwnProcess() { return mark.owner != nullptr && *mark.owner == OwnNumber(); }

void LeaveIfChild(int code) {
  if (IsOwnProcess()) return;
  if (SharesParentsMemory()) EndParent();
  _exit(code);
}

}  // namespace poold::worker
