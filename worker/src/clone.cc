#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "fork_handlers.h"
#include "own_process.h"
#include "wire/absl_text.h"

// <sched.h> and <linux/sched.h> both define clone_args in some versions; only this is wanted of the former.
extern "C" int unshare(int flags) noexcept;

namespace poold::worker {
namespace {

// What glibc's fork would repair in the child and a raw clone does not.
struct ThreadState {
  int* tid_address = nullptr;
  void* robust_list = nullptr;
  std::size_t robust_list_bytes = 0;

  static ThreadState Read() {
    ThreadState state;
    if (prctl(PR_GET_TID_ADDRESS, &state.tid_address, 0, 0, 0) != 0) state.tid_address = nullptr;
    if (syscall(SYS_get_robust_list, 0, &state.robust_list, &state.robust_list_bytes) != 0) state.robust_list = nullptr;
    return state;
  }
  std::uint64_t CloneFlags() const { return tid_address == nullptr ? 0 : CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID; }
  void RepairChild() const {
    if (robust_list != nullptr) syscall(SYS_set_robust_list, robust_list, robust_list_bytes);
  }
};

pid_t Clone3(const ThreadState& state, int cgroup_fd) {
  clone_args args{};
  args.flags = CLONE_PARENT | state.CloneFlags();
  args.child_tid = reinterpret_cast<std::uintptr_t>(state.tid_address);
  if (cgroup_fd >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup_fd);
  }
  return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

// Where a sandbox hides clone3 (systemd's RestrictNamespaces= answers ENOSYS).
pid_t CloneOld(const ThreadState& state) {
  const unsigned long flags = CLONE_PARENT | state.CloneFlags();
#if defined(__x86_64__)
  return static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, state.tid_address, 0));
#else
  return static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, 0, state.tid_address));
#endif
}

// As `state` says; -1: not. `in_cgroup`: whether it is born there.
pid_t CloneAnyhow(const ThreadState& state, int cgroup_fd, bool* in_cgroup) {
  *in_cgroup = cgroup_fd >= 0;
  pid_t pid = Clone3(state, cgroup_fd);
  if (pid >= 0) return pid;
  if (*in_cgroup && errno != ENOSYS) {
    *in_cgroup = false;
    pid = Clone3(state, -1);
  }
  if (pid >= 0 || errno != ENOSYS) return pid;
  *in_cgroup = false;
  return CloneOld(state);
}

bool MoveIntoCgroup(int cgroup_fd) {
  const int procs = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (procs < 0) return false;
  const bool moved = write(procs, "0", 1) == 1;
  close(procs);
  return moved;
}

// RESOURCE_EXHAUSTED: the machine is short of processes or memory.
absl::Status Refused(const char* what, int error) {
  const bool shortage = error == EAGAIN || error == ENOMEM || error == ENOSPC;
  return absl::Status(shortage ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable,
                      absl::StrCat(what, ": ", std::strerror(error)));
}

// In the clone. `cgroup_fd`: where it is to go; -1: nowhere. The handlers of others run where it belongs.
absl::Status BeBorn(const ThreadState& state, int cgroup_fd) {
  OwnThisProcess();
  state.RepairChild();
  const bool moved = cgroup_fd < 0 || MoveIntoCgroup(cgroup_fd);
  const int error = errno;
  absl::Status handled = AfterForkInChild();
  return moved ? handled : Refused("cannot move the worker into its cgroup", error);
}

bool WriteFile(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return written;
}

// Without the right to make a PID namespace, one may still make a user namespace in which one has it.
bool UnshareWithUser() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return false;
  WriteFile("/proc/self/setgroups", "deny");
  return WriteFile("/proc/self/uid_map", absl::StrCat(uid, " ", uid, " 1")) &&
         WriteFile("/proc/self/gid_map", absl::StrCat(gid, " ", gid, " 1"));
}

[[noreturn]] void BeInit() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_range(0, ~0U, 0);
  prctl(PR_SET_NAME, "pool-init");
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, nullptr);
  while (true) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    sigwaitinfo(&children, nullptr);
  }
}

}  // namespace

absl::StatusOr<Clone> CloneSibling(int cgroup_fd) {
  // The same for all clones.
  static const ThreadState state = ThreadState::Read();
  if (absl::Status prepared = PrepareToFork(); !prepared.ok()) return prepared;
  bool in_cgroup = false;
  const pid_t pid = CloneAnyhow(state, cgroup_fd, &in_cgroup);
  const int error = errno;
  if (pid == 0) return Clone{0, BeBorn(state, in_cgroup ? -1 : cgroup_fd)};
  if (const absl::Status after = AfterForkInParent(); !after.ok()) {
    std::fprintf(stderr, "%s\n", std::string(wire::ToStd(after.message())).c_str());
  }
  if (pid < 0) return Refused("cannot clone a worker", error);
  return Clone{pid, absl::OkStatus()};
}

absl::Status EnterPidNamespace() {
  if (unshare(CLONE_NEWPID) != 0 && !UnshareWithUser()) return Refused("cannot make a PID namespace", errno);
  const pid_t pid = fork();
  if (pid < 0) return Refused("cannot fork the namespace's init", errno);
  if (pid == 0) BeInit();
  return absl::OkStatus();
}

}  // namespace poold::worker
