// UniqueFd: a file descriptor with one owner, closed at the owner's end.
#pragma once

#include <unistd.h>

#include <utility>

namespace poold::wire {

// Move-only. -1: no descriptor. Thread safety: none.
class UniqueFd {
 public:
  UniqueFd() = default;
  // Takes the descriptor over.
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  // Whether there is a descriptor.
  explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor to the caller, who closes it.
  int Release() { return std::exchange(fd_, -1); }
  // Closes the descriptor and takes another over.
  void Reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace poold::wire
