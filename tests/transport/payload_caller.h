// A client's end of the payload socket, byte by byte.
#pragma once

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
  explicit Caller(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strcpy(name.sun_path, path.c_str());
    connected_ = connect(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
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
  wire::UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace poold::transport
