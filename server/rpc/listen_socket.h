// One socket that listens, and the file that it has in the file system.
//
// A value with one owner. Closes the socket, and removes the file if it is still ours, when it goes.
#pragma once

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "rpc/listen_address.h"
#include "wire/unique_fd.h"

namespace poold::rpc {

class ListenSocket {
 public:
  // A Unix socket is made with mode 0600; its folder, if it is missing, with 0700. A socket that nobody listens on any
  // more is replaced. Errors: ALREADY_EXISTS if a live daemon answers there; else what failed, with path and advice.
  static absl::StatusOr<ListenSocket> Open(const ListenAddress& address);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const { return fd_.get(); }
  bool is_unix() const { return !address_.unix_path.empty(); }
  // With the port that was found.
  const ListenAddress& address() const { return address_; }

 private:
  ListenSocket(ListenAddress address, wire::UniqueFd fd) : address_(std::move(address)), fd_(std::move(fd)) {}
  static absl::StatusOr<ListenSocket> OpenUnix(const ListenAddress& address);
  static absl::StatusOr<ListenSocket> OpenTcp(const ListenAddress& address);

  ListenAddress address_;
  wire::UniqueFd fd_;
  // Of the file, to know it again.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace poold::rpc
