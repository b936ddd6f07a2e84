#include "wire/process_order.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>

namespace poold::wire {
namespace {

constexpr rlim_t kLeastStack = rlim_t{1} << 20;

bool IsForCommands(int signal) {
  for (const int known : {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU}) {
    if (signal == known) return true;
  }
  return false;
}

// What is inherited is ignored or not; who handles one already, before main, is ours.
void ResetSignals(ProgramKind kind) {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    struct sigaction now {};
    if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_IGN) continue;
    if (kind != ProgramKind::kCommand || !IsForCommands(signal)) sigaction(signal, &usual, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void StopTimers() {
  const itimerval off{};
  setitimer(ITIMER_REAL, &off, nullptr);
  setitimer(ITIMER_VIRTUAL, &off, nullptr);
  setitimer(ITIMER_PROF, &off, nullptr);
}

// The kernel gives the lowest number that is free.
void OpenStandardDescriptors() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

void LetOwnerUseFiles() { umask(umask(S_IRWXU) & ~static_cast<mode_t>(S_IRWXU)); }

void Raise(__rlimit_resource resource, rlim_t least) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return;
  const rlim_t wanted = std::min(least, limit.rlim_max);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  setrlimit(resource, &limit);
}

void RaiseLimits() {
  for (const __rlimit_resource resource : {RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_FSIZE, RLIMIT_CPU}) {
    Raise(resource, RLIM_INFINITY);
  }
  Raise(RLIMIT_STACK, kLeastStack);
}

// Before the initializers of libraries, which open descriptors: what they were given of 0 to 2 they would keep.
void OpenFirst(int, char**, char**) { OpenStandardDescriptors(); }
__attribute__((section(".preinit_array"), used)) void (*const open_first)(int, char**, char**) = OpenFirst;

}  // namespace

void PutProcessInOrder(ProgramKind kind) {
  // Before anything that could end it: a timer that rings, a limit of processor time that is used up.
  StopTimers();
  if (kind == ProgramKind::kDaemon) RaiseLimits();
  OpenStandardDescriptors();
  ResetSignals(kind);
  LetOwnerUseFiles();
}

}  // namespace poold::wire
