#include "clone.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "own_process.h"
#include "wire/absl_text.h"
#include "wire/mapped_file.h"

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

using Handler = void (*)();

struct Registration {
  Handler prepare;
  Handler parent;
  Handler child;
  const Registration* earlier;
};

// Some register before any constructor of ours runs, and none ever goes.
constinit std::atomic<const Registration*> latest{nullptr};

bool Register(const Registration& registration) {
  auto* const kept = static_cast<Registration*>(malloc(sizeof(Registration)));
  if (kept == nullptr) return false;
  *kept = registration;
  kept->earlier = latest.load();
  while (!latest.compare_exchange_weak(kept->earlier, kept)) {
  }
  return true;
}

// `inside`: an address in it.
void KeepLoaded(const void* inside) {
  Dl_info library;
  if (inside == nullptr || dladdr(inside, &library) == 0 || library.dli_fname == nullptr) return;
  // Of the program itself it fails, which is nobody's error.
  if (dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) == nullptr) dlerror();
}

std::string LibraryOf(Handler handler) {
  Dl_info library;
  const bool known = dladdr(reinterpret_cast<void*>(handler), &library) != 0 && library.dli_fname != nullptr;
  return known ? library.dli_fname : "an unknown library";
}

// What it throws; null for nothing.
std::exception_ptr CallHandler(Handler handler) {
  try {
    if (handler != nullptr) handler();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

absl::Status Describe(Handler handler, const std::exception_ptr& thrown) {
  std::string what = "something that is no std::exception";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    what = error.what() == nullptr ? "" : error.what();
  } catch (...) {
  }
  return absl::InternalError(
      absl::StrCat("a handler of pthread_atfork in ", LibraryOf(handler), " throws where workers are cloned: ", what));
}

// The first of those that throw. They are described when all have run, because that allocates memory.
class Thrown {
 public:
  // False: it threw.
  bool Run(Handler handler) {
    std::exception_ptr thrown = CallHandler(handler);
    if (thrown == nullptr) return true;
    if (by_ == nullptr) by_ = handler, what_ = std::move(thrown);
    return false;
  }
  bool any() const { return by_ != nullptr; }
  absl::Status Status() const { return by_ == nullptr ? absl::OkStatus() : Describe(by_, what_); }

 private:
  Handler by_ = nullptr;
  std::exception_ptr what_;
};

// Those that PrepareToFork ran, the last registered first. Kept, so that its memory is there before it is wanted.
std::vector<const Registration*>& Prepared() {
  static std::vector<const Registration*> prepared;
  return prepared;
}

absl::Status RunAfter(Handler Registration::*which) {
  Thrown thrown;
  for (auto at = Prepared().rbegin(); at != Prepared().rend(); ++at) thrown.Run((*at)->*which);
  return thrown.Status();
}

std::size_t CountRegistrations() {
  std::size_t count = 0;
  for (const Registration* at = latest.load(); at != nullptr; at = at->earlier) ++count;
  return count;
}

constexpr std::uintptr_t kHugeBytes = wire::kHugePageBytes;
// Of processor time. It copies what it gathers, some GB a second; where memory is in pieces it has to move much more.
constexpr int kMostSeconds = 5;

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// Whole seconds of processor time that this process has used.
long SecondsUsed() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec;
}

bool Wanted() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  return std::getline(file, text) && text.find("[never]") == std::string::npos;
}

// Private, writable and of no file: what the preload made. Cut to whole huge pages. Not what is reserved and hardly
// used (a sanitizer's shadow is terabytes).
std::vector<Range> PrivateMemory() {
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/smaps");
  Range range;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, inode = 0, resident_kib = 0;
    if (std::sscanf(line.c_str(), "Rss: %lu", &resident_kib) == 1) {
      if (range.begin < range.end && resident_kib >= (range.end - range.begin) / 1024 / 16) ranges.push_back(range);
      range = {};
    }
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &begin, &end, rights, &inode) != 4) continue;
    if (std::string(rights) != "rw-p" || inode != 0 || line.find("[stack]") != std::string::npos) continue;
    range = {(begin + kHugeBytes - 1) & ~(kHugeBytes - 1), end & ~(kHugeBytes - 1)};
  }
  return ranges;
}

bool NearlyFull(std::uintptr_t at, std::vector<unsigned char>* pages) {
  if (mincore(reinterpret_cast<void*>(at), kHugeBytes, pages->data()) != 0) return false;
  const auto resident = std::count_if(pages->begin(), pages->end(), [](unsigned char one) { return one & 1; });
  return static_cast<std::size_t>(resident) * 10 >= pages->size() * 9;
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

absl::Status PrepareToFork() {
  const Registration* const newest = latest.load();
  Prepared().clear();
  Prepared().reserve(CountRegistrations());
  Thrown thrown;
  for (const Registration* at = newest; at != nullptr && thrown.Run(at->prepare); at = at->earlier) {
    Prepared().push_back(at);
  }
  if (thrown.any()) (void)RunAfter(&Registration::parent);
  return thrown.Status();
}

absl::Status AfterForkInParent() { return RunAfter(&Registration::parent); }
absl::Status AfterForkInChild() { return RunAfter(&Registration::child); }

std::size_t GatherHugePages() {
  if (!Wanted()) return 0;
  const long give_up_at = SecondsUsed() + kMostSeconds;
  std::vector<unsigned char> pages(kHugeBytes / static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  std::size_t gathered = 0;
  for (const Range& range : PrivateMemory()) {
    for (std::uintptr_t at = range.begin; at < range.end; at += kHugeBytes) {
      if (SecondsUsed() >= give_up_at) return gathered;
      if (!NearlyFull(at, &pages)) continue;
      if (wire::CollapseHugePages(reinterpret_cast<void*>(at), kHugeBytes)) {
        gathered += kHugeBytes;
      } else if (errno == EINVAL && gathered == 0) {
        return 0;  // a kernel that cannot
      }
    }
  }
  return gathered;
}

}  // namespace poold::worker

// Stands before the C library's, which it calls. Weak: a program that is linked statically has that one only.
extern "C" [[gnu::weak, gnu::used, gnu::visibility("default")]] int __register_atfork(poold::worker::Handler prepare,
                                                                                      poold::worker::Handler parent,
                                                                                      poold::worker::Handler child,
                                                                                      void* library) {
  using Original = int (*)(poold::worker::Handler, poold::worker::Handler, poold::worker::Handler, void*);
  static const auto original = reinterpret_cast<Original>(dlvsym(RTLD_NEXT, "__register_atfork", "GLIBC_2.3.2"));
  if (original == nullptr) return ENOSYS;
  if (const int error = original(prepare, parent, child, library); error != 0) return error;
  poold::worker::KeepLoaded(library);
  return poold::worker::Register({prepare, parent, child, nullptr}) ? 0 : ENOMEM;
}
