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
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

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

bool MoveIntoCgroup(int cgroup_fd) {
  const int procs = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (procs < 0) return false;
  const bool moved = write(procs, "0", 1) == 1;
  close(procs);
  return moved;
}

absl::Status Refused(const char* what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
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

absl::StatusOr<pid_t> CloneSibling(int cgroup_fd) {
  // The same for all clones.
  static const ThreadState state = ThreadState::Read();
  bool born_in_cgroup = cgroup_fd >= 0;
  pid_t pid = Clone3(state, cgroup_fd);
  if (pid < 0 && born_in_cgroup && errno != ENOSYS) {
    born_in_cgroup = false;
    pid = Clone3(state, -1);
  }
  if (pid < 0 && errno == ENOSYS) {
    born_in_cgroup = false;
    pid = CloneOld(state);
  }
  if (pid < 0) return Refused("cannot clone a worker");
  if (pid > 0) return pid;
  state.RepairChild();
  if (cgroup_fd >= 0 && !born_in_cgroup && !MoveIntoCgroup(cgroup_fd)) {
    return Refused("cannot move the worker into its cgroup");
  }
  return 0;
}

absl::Status EnterPidNamespace() {
  if (unshare(CLONE_NEWPID) != 0 && !UnshareWithUser()) return Refused("cannot make a PID namespace");
  const pid_t pid = fork();
  if (pid < 0) return Refused("cannot fork the namespace's init");
  if (pid == 0) BeInit();
  return absl::OkStatus();
}

}  // namespace poold::worker
