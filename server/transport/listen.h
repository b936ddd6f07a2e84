// ListenAddress: an address at which the daemon listens, a Unix socket or a loopback TCP port. ListenSocket: a socket
// that listens there.
//
// Values; any thread. Errors: see each function.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::transport {

struct ListenAddress {
  // Not empty: a Unix socket.
  std::string unix_path;
  // Otherwise a numeric loopback address and a port; port 0: any free one.
  std::string host;
  std::uint16_t port = 0;

  // "unix:/run/poold/poold.sock" or "127.0.0.1:7340" or "[::1]:7340": also what gRPC clients take as a target.
  std::string ToString() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// Takes "unix:PATH", "unix://PATH", "/PATH", "HOST:PORT" and "tcp:HOST:PORT", where HOST is localhost, an address in
// 127.0.0.0/8, or [::1]. Errors: INVALID_ARGUMENT that says what to write instead; anything but loopback is refused.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

// A listening socket and its file in the file system. A value with one owner; at its end it closes the socket, and
// removes the file if that is still its own.
class ListenSocket {
 public:
  // Begins to listen. Makes a Unix socket with mode 0600, and its folder, if it is missing, with 0700; replaces a
  // socket on which nobody listens any more. ALREADY_EXISTS: a live daemon answers there. Other errors name the path
  // and give advice.
  static absl::StatusOr<ListenSocket> Open(const ListenAddress& address);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const { return fd_.get(); }
  bool is_unix() const { return !address_.unix_path.empty(); }
  // The address, with the port that was found for port 0.
  const ListenAddress& address() const { return address_; }

 private:
  ListenSocket(ListenAddress address, wire::UniqueFd fd) : address_(std::move(address)), fd_(std::move(fd)) {}
  static absl::StatusOr<ListenSocket> OpenUnix(const ListenAddress& address);
  static absl::StatusOr<ListenSocket> OpenTcp(const ListenAddress& address);

  ListenAddress address_;
  wire::UniqueFd fd_;
  // The identity of the file, to know it again.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace poold::transport
