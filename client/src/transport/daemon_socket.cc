#include "transport/daemon_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include "wire/default_address.h"

namespace poold::client::internal {
namespace {

// On one host a connection that takes longer comes to nothing.
constexpr auto kConnectPatience = std::chrono::milliseconds(100);

struct Target {
  sockaddr_storage name{};
  socklen_t bytes = 0;  // 0: no target
};

Target UnixTarget(const std::string& path) {
  Target target;
  auto* const name = reinterpret_cast<sockaddr_un*>(&target.name);
  if (path.size() >= sizeof name->sun_path) return {};
  name->sun_family = AF_UNIX;
  std::memcpy(name->sun_path, path.c_str(), path.size() + 1);
  target.bytes = sizeof *name;
  return target;
}

// "127.0.0.1:7340", "localhost:7340" or "[::1]:7340".
Target TcpTarget(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::uint16_t port = 0;
  const char* const end = address.data() + address.size();
  if (const auto read = std::from_chars(address.data() + colon + 1, end, port);
      read.ec != std::errc() || read.ptr != end) {
    return {};
  }
  std::string host(address.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  Target target;
  auto* const four = reinterpret_cast<sockaddr_in*>(&target.name);
  if (inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1 && ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    target.bytes = sizeof *four;
  } else if (host == "[::1]") {
    auto* const six = reinterpret_cast<sockaddr_in6*>(&target.name);
    six->sin6_family = AF_INET6;
    six->sin6_addr = in6addr_loopback;
    six->sin6_port = htons(port);
    target.bytes = sizeof *six;
  }
  return target;
}

Target ToTarget(const std::string& address) {
  return address.starts_with('/') ? UnixTarget(address) : TcpTarget(address);
}

// An end that went silent is noticed as soon as through gRPC (connection.cc).
void PrepareTcp(int socket) {
  const auto set = [socket](int level, int option, int value) {
    setsockopt(socket, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 2);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 25'000);
}

bool IsConnected(int socket) {
  int error = 0;
  socklen_t bytes = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == 0;
}

}  // namespace

std::string AddressWithoutGrpc(std::string_view target) {
  if (const std::string path = wire::UnixPathOf(target); !path.empty()) {
    return path + std::string(wire::kPayloadSocketSuffix);
  }
  return TcpTarget(target).bytes != 0 ? std::string(target) : "";
}

wire::UniqueFd ConnectToDaemon(const std::string& address) {
  const Target target = address.empty() ? Target() : ToTarget(address);
  if (target.bytes == 0) return {};
  wire::UniqueFd socket(::socket(target.name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {};
  if (target.name.ss_family != AF_UNIX) PrepareTcp(socket.get());
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&target.name), target.bytes) == 0) return socket;
  // A queue of connections that is full is nobody, too.
  const bool connects = errno == EINPROGRESS && AwaitSocket(socket.get(), POLLOUT, Deadline(kConnectPatience));
  if (!connects || !IsConnected(socket.get())) return {};
  return socket;
}

grpc::Status ToGrpc(const google::rpc::Status& status) {
  if (status.code() == 0) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), status.message(), status.SerializeAsString()};
}

bool AwaitSocket(int socket, short events, Deadline deadline) {
  pollfd one{socket, events, 0};
  while (true) {
    timespec wait{};
    if (!deadline.never()) {
      const auto left = std::chrono::nanoseconds(deadline.left());
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      wait = {static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
    }
    const int ready = ppoll(&one, 1, deadline.never() ? nullptr : &wait, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

}  // namespace poold::client::internal
