// What a program does with what it inherits.
#include "wire/process_order.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace poold::wire {
namespace {

// Runs `check` in a child that has inherited as bad a state as can be made; the number of the first thing that is not
// in order then, 0 for none.
int InABadState(ProgramKind kind, int (*check)()) {
  const pid_t pid = fork();
  if (pid == 0) {
    for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    const itimerval soon{{0, 1000}, {3600, 0}};
    setitimer(ITIMER_REAL, &soon, nullptr);
    umask(0777);
    const auto lower = [](__rlimit_resource resource, rlim_t soft) {
      rlimit limit{};
      getrlimit(resource, &limit);
      limit.rlim_cur = std::min(soft, limit.rlim_max);
      setrlimit(resource, &limit);
    };
    lower(RLIMIT_NOFILE, 16);
    lower(RLIMIT_FSIZE, 0);
    for (int fd = 0; fd <= 2; ++fd) close(fd);
    PutProcessInOrder(kind);
    _exit(check());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool IsIgnored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

int CheckAll() {
  for (const int signal : {SIGCHLD, SIGPIPE, SIGTERM, SIGUSR1, SIGALRM, SIGXFSZ}) {
    if (IsIgnored(signal)) return signal;
  }
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  if (sigisemptyset(&blocked) == 0) return 101;
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) return 110 + fd;
  }
  if (open("/dev/null", O_RDONLY) <= STDERR_FILENO) return 113;
  itimerval timer{};
  getitimer(ITIMER_REAL, &timer);
  if (timer.it_value.tv_sec != 0) return 120;
  if (umask(0) != 0077) return 130;
  return 0;
}

int CheckDaemon() {
  if (const int wrong = CheckAll(); wrong != 0) return wrong;
  for (const __rlimit_resource resource : {RLIMIT_NOFILE, RLIMIT_FSIZE}) {
    rlimit limit{};
    getrlimit(resource, &limit);
    if (limit.rlim_cur != limit.rlim_max) return 140;
  }
  return IsIgnored(SIGHUP) || IsIgnored(SIGINT) ? 150 : 0;
}

TEST(ProcessOrder, ADaemonHasWhatItNeedsWhoeverStartedIt) {
  EXPECT_EQ(InABadState(ProgramKind::kDaemon, CheckDaemon), 0);
}

TEST(ProcessOrder, AWorkerLeavesTheLimitsOfItsPoolAlone) {
  EXPECT_EQ(InABadState(ProgramKind::kWorker,
                        [] {
                          rlimit limit{};
                          getrlimit(RLIMIT_NOFILE, &limit);
                          return limit.rlim_cur == 16 ? CheckAll() : 1;
                        }),
            0);
}

TEST(ProcessOrder, ACommandHeedsNohupAndShells) {
  EXPECT_EQ(InABadState(ProgramKind::kCommand,
                        [] {
                          if (!IsIgnored(SIGHUP) || !IsIgnored(SIGINT)) return 1;
                          return CheckAll();
                        }),
            0);
}

TEST(ProcessOrder, WhatIsInOrderStaysAsItIs) {
  const mode_t mask = umask(0027);
  PutProcessInOrder(ProgramKind::kWorker);
  EXPECT_EQ(umask(mask), 0027u);
}

}  // namespace
}  // namespace poold::wire
