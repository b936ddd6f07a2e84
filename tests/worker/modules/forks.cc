// Functions from which two processes return, and what a child can do beside.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "poold/worker.h"

namespace {

// Becomes two processes. In the child 0, in the parent its number.
pid_t BecomeTwo(const std::string& how) {
  if (how == "fork") return fork();
  if (how == "clone") return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (how == "namespace" && unshare(CLONE_NEWPID) == 0) return fork();
  throw std::invalid_argument("cannot become two by " + how);
}

int EndOf(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The child's own end is told by the parent.
std::string both_return(const std::string& how, std::uint64_t bytes) {
  const pid_t child = BecomeTwo(how);
  if (child == 0) return std::string(bytes, 'c');
  return std::to_string(EndOf(child)) + std::string(bytes, 'p');
}
POOLD_TASK(both_return);

// The child is the first to come back.
poold::Bytes both_return_bytes(const std::string& how, std::uint64_t bytes) {
  const pid_t child = BecomeTwo(how);
  if (child != 0) EndOf(child);
  return {std::string(bytes, child == 0 ? 'c' : 'p')};
}
POOLD_TASK(both_return_bytes);

std::string child_throws(const std::string& how) {
  const pid_t child = BecomeTwo(how);
  if (child == 0) throw std::runtime_error("the child speaks");
  return std::to_string(EndOf(child));
}
POOLD_TASK(child_throws);

// Comes back with the memory of its parent.
[[gnu::noinline]] int borrowed_return() { return vfork() == 0 ? 1 : 2; }
POOLD_TASK(borrowed_return);

std::string child_speaks() {
  const pid_t child = fork();
  if (child == 0) {
    poold::worker::ReportProgress(1, "the child");
    std::printf("left in the child's buffer");
    return "the child";
  }
  return std::to_string(EndOf(child));
}
POOLD_TASK(child_speaks);

// Of worker and zygote alike.
void fork_and_return() { EndOf(fork()); }
POOLD_TASK(fork_and_return);

std::string mark_path;

void mark_at_exit(const std::string& path) {
  mark_path = path;
  std::atexit([] { std::fclose(std::fopen(mark_path.c_str(), "w")); });
}
POOLD_TASK(mark_at_exit);

}  // namespace
