// The memory that a worker shares with the daemon (wire/worker_page.h), on the daemon's side: a sealed memfd, mapped.
//
// Ownership: move-only; unmaps the memory and closes the descriptor when it goes.
// Threads: one at a time, but page() may be used by any thread, since it is all atomics.
// Trust: the worker can write what it likes at any time. It cannot change the size.
#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "wire/unique_fd.h"
#include "wire/worker_page.h"

namespace poold::process {

class SharedPage {
 public:
  // RESOURCE_EXHAUSTED: descriptors or memory ran out.
  static absl::StatusOr<SharedPage> Make();

  // Empty: no memory, no descriptor.
  SharedPage() = default;
  SharedPage(SharedPage&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), fd_(std::move(other.fd_)) {}
  SharedPage& operator=(SharedPage&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~SharedPage();

  // Page and ring, as RingReader takes them. Null if empty.
  void* memory() const { return memory_; }
  wire::WorkerPage& page() const { return *static_cast<wire::WorkerPage*>(memory_); }
  explicit operator bool() const { return memory_ != nullptr; }
  // To be passed to the worker, then closed: the mapping stays.
  wire::UniqueFd TakeFd() { return std::move(fd_); }

 private:
  void* memory_ = nullptr;
  wire::UniqueFd fd_;
};

}  // namespace poold::process
