// System calls of a program that look at base::Quiet first. Compiled into a program, these definitions stand before
// those of the C library; calls of the C library to itself, as those of the allocator, do not come here. Of `poold`: in
// builds with assertions. Sanitizers have their own definitions.
#if (!defined(NDEBUG) || defined(POOLD_QUIET_CALLS)) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <csignal>
#include <cstdarg>

#include "base/quiet.h"

namespace {

template <typename Result, typename... Args>
Result Call(const char* name, long number, Args... args) {
  poold::base::MustNotBeQuiet(name);
  return static_cast<Result>(syscall(number, args...));
}

}  // namespace

extern "C" {

// Another part of the program may define these two for a reason of its own (transport/grpc/grpc_sockets.cc).
[[gnu::weak]] int close(int fd) { return Call<int>("close", SYS_close, fd); }
int munmap(void* at, std::size_t bytes) noexcept { return Call<int>("munmap", SYS_munmap, at, bytes); }
int ftruncate(int fd, off_t bytes) noexcept { return Call<int>("ftruncate", SYS_ftruncate, fd, bytes); }
int fallocate(int fd, int mode, off_t from, off_t bytes) {
  return Call<int>("fallocate", SYS_fallocate, fd, mode, from, bytes);
}
int unlink(const char* path) noexcept { return Call<int>("unlink", SYS_unlink, path); }
int kill(pid_t pid, int number) noexcept { return Call<int>("kill", SYS_kill, pid, number); }
int fsync(int fd) { return Call<int>("fsync", SYS_fsync, fd); }
ssize_t write(int fd, const void* from, std::size_t bytes) {
  return Call<ssize_t>("write", SYS_write, fd, from, bytes);
}
ssize_t writev(int fd, const iovec* parts, int count) { return Call<ssize_t>("writev", SYS_writev, fd, parts, count); }
ssize_t send(int fd, const void* from, std::size_t bytes, int flags) {
  return Call<ssize_t>("send", SYS_sendto, fd, from, bytes, flags, nullptr, 0);
}
[[gnu::weak]] ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return Call<ssize_t>("sendmsg", SYS_sendmsg, fd, message, flags);
}
ssize_t read(int fd, void* into, std::size_t bytes) { return Call<ssize_t>("read", SYS_read, fd, into, bytes); }
ssize_t pread(int fd, void* into, std::size_t bytes, off_t from) {
  return Call<ssize_t>("pread", SYS_pread64, fd, into, bytes, from);
}
int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return Call<int>("open", SYS_openat, AT_FDCWD, path, flags, mode);
}

}  // extern "C"

#endif
