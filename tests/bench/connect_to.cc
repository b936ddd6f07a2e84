#include "connect_to.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>

namespace poold::bench {
namespace {

wire::UniqueFd Connected(int family, const void* address, socklen_t size) {
  wire::UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(fd.get(), static_cast<const sockaddr*>(address), size) != 0) fd.Reset();
  return fd;
}

wire::UniqueFd ConnectToPort(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  wire::UniqueFd fd = Connected(AF_INET, &address, sizeof address);
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

wire::UniqueFd ConnectTo(const std::string& address) {
  if (address.front() != '/') {
    return ConnectToPort(static_cast<std::uint16_t>(std::atoi(address.c_str() + address.rfind(':') + 1)));
  }
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, address.c_str(), sizeof name.sun_path - 1);
  return Connected(AF_UNIX, &name, sizeof name);
}

}  // namespace poold::bench
