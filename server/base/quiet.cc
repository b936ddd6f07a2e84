#include "base/quiet.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace poold::base {
namespace {

// By the bare system call: write() itself may be what was tried.
void Say(const char* text) { syscall(SYS_write, STDERR_FILENO, text, std::strlen(text)); }

}  // namespace

void MustNotBeQuiet(const char* what) {
  if (!Quiet::Holds()) return;
  Say("poold: under the core's mutex: ");
  Say(what);
  Say("\n");
  std::abort();
}

}  // namespace poold::base
