// A client's end of the payload socket, or of what is like it at a TCP port, byte by byte.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/fd_socket.h"
#include "wire/payload_message.h"
#include "wire/unique_fd.h"

namespace poold::transport {

class Caller {
 public:
  // A path, or "127.0.0.1:PORT".
  explicit Caller(const std::string& address) {
    sockaddr_un path{};
    sockaddr_in port{};
    if (address.front() == '/') {
      path.sun_family = AF_UNIX;
      std::strcpy(path.sun_path, address.c_str());
      Connect(&path, sizeof path, AF_UNIX);
    } else {
      port.sin_family = AF_INET;
      port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      port.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
      Connect(&port, sizeof port, AF_INET);
    }
  }
  bool connected() const { return connected_; }
  bool Send(wire::PayloadAsk ask, const std::string& id, std::uint64_t number, std::vector<int> descriptors = {}) {
    wire::PayloadRequest request{static_cast<std::uint32_t>(ask), 0, {}, number};
    std::memcpy(request.id, id.data(), sizeof request.id);
    return SendBytes(std::string_view(reinterpret_cast<const char*>(&request), sizeof request), descriptors);
  }
  bool SendBytes(std::string_view bytes, std::vector<int> descriptors = {}) {
    return wire::SendAll(fd_.get(), bytes, descriptors).ok();
  }
  // Nothing: the daemon has closed the connection.
  std::optional<wire::PayloadStatus> Answer() {
    std::size_t have = 0;
    descriptors.clear();
    while (have < sizeof answer) {
      const auto got =
          wire::Receive(fd_.get(), reinterpret_cast<char*>(&answer) + have, sizeof answer - have, &descriptors);
      if (!got.ok() || got->end_of_file) return std::nullopt;
      have += got->bytes;
    }
    return static_cast<wire::PayloadStatus>(answer.status);
  }

  // The connection goes on without this.
  wire::UniqueFd Release() { return std::move(fd_); }

  wire::PayloadAnswer answer{};
  std::vector<wire::UniqueFd> descriptors;

 private:
  void Connect(const void* name, socklen_t bytes, int family) {
    fd_.Reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connected_ = connect(fd_.get(), static_cast<const sockaddr*>(name), bytes) == 0;
  }

  wire::UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace poold::transport
