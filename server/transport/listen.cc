#include "transport/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "wire/absl_text.h"

namespace poold::transport {
namespace {

using wire::ToAbsl;

constexpr std::size_t kMaxUnixPathBytes = sizeof(sockaddr_un::sun_path) - 1;

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("cannot listen on \"", ToAbsl(text), "\": ", ToAbsl(why)));
}

absl::StatusOr<ListenAddress> ParseUnix(std::string_view text, std::string_view path) {
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.empty() || path.front() != '/')
    return Wrong(text, "a Unix socket needs an absolute path: unix:/path/to/socket");
  if (path.size() > kMaxUnixPathBytes) {
    return Wrong(text, absl::StrCat("the path has ", path.size(), " bytes, a Unix socket's has at most ",
                                    kMaxUnixPathBytes, "; choose a shorter folder"));
  }
  if (path.find('\0') != std::string_view::npos) return Wrong(text, "the path contains a zero byte");
  return ListenAddress{.unix_path = std::string(path)};
}

// The numeric form of a loopback host; nothing if it is another one.
std::optional<std::string> Loopback(std::string_view host) {
  if (host == "localhost") return "127.0.0.1";
  const std::string text(host);
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24 == 127) return text;
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six)) return "::1";
  return std::nullopt;
}

absl::StatusOr<ListenAddress> ParseTcp(std::string_view text, std::string_view host_port) {
  const std::size_t colon = host_port.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return Wrong(text, "write unix:/path/to/socket or 127.0.0.1:PORT");
  std::string_view host = host_port.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint32_t port = 0;
  if (!absl::SimpleAtoi(ToAbsl(host_port.substr(colon + 1)), &port) || port > 65'535) {
    return Wrong(text, "the port is not a number from 0 to 65535");
  }
  std::optional<std::string> loopback = Loopback(host);
  if (!loopback) {
    return Wrong(text,
                 "only loopback addresses (127.0.0.1, [::1], localhost) are possible: poold does not authenticate "
                 "clients over the network yet; use a Unix socket, or forward a port with ssh");
  }
  return ListenAddress{.host = *std::move(loopback), .port = static_cast<std::uint16_t>(port)};
}

// Who comes when it is full is turned away at once on a Unix socket. The kernel takes as much of it as it allows.
constexpr int kBacklog = 65'535;

absl::Status Failed(const ListenAddress& address, const std::string& what, int error) {
  const std::string text = absl::StrCat("cannot listen on ", address.ToString(), ": ", what, ": ", strerror(error));
  return error == EADDRINUSE ? absl::AlreadyExistsError(text) : absl::UnavailableError(text);
}

sockaddr_un UnixAddress(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  memcpy(out.sun_path, path.c_str(), path.size() + 1);
  return out;
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes the folder itself, not those above it.
absl::Status MakeFolder(const ListenAddress& address) {
  const std::string folder = FolderOf(address.unix_path);
  if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return Failed(address, absl::StrCat("cannot make the folder ", folder), errno);
}

// Whether somebody listens on the socket file that is there.
absl::StatusOr<bool> SomebodyAnswers(const ListenAddress& address) {
  const wire::UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Failed(address, "socket", errno);
  const sockaddr_un name = UnixAddress(address.unix_path);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0 || errno == EAGAIN) return true;
  if (errno == ECONNREFUSED || errno == ENOENT) return false;
  return Failed(address, "cannot find out whether the socket that is there is in use", errno);
}

absl::Status ClearStale(const ListenAddress& address) {
  struct stat found {};
  if (lstat(address.unix_path.c_str(), &found) != 0) {
    return errno == ENOENT ? absl::OkStatus() : Failed(address, "cannot look at it", errno);
  }
  if (!S_ISSOCK(found.st_mode)) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen on ", address.ToString(),
                                                 ": there is a file of that name that is not a socket; remove it or "
                                                 "choose another path"));
  }
  const absl::StatusOr<bool> live = SomebodyAnswers(address);
  if (!live.ok()) return live.status();
  if (*live) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen on ", address.ToString(),
                                                 ": a running daemon answers there; stop it, or listen elsewhere"));
  }
  if (unlink(address.unix_path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return Failed(address, "cannot remove the stale socket", errno);
}

}  // namespace

std::string ListenAddress::ToString() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  return host == "::1" ? absl::StrCat("[::1]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.starts_with("unix-abstract:")) return Wrong(text, "abstract sockets have no permissions; use unix:/path");
  if (text.starts_with("unix:")) return ParseUnix(text, text.substr(5));
  if (text.starts_with("/")) return ParseUnix(text, text);
  if (text.starts_with("tcp:")) return ParseTcp(text, text.substr(4));
  return ParseTcp(text, text);
}

absl::StatusOr<ListenSocket> ListenSocket::Open(const ListenAddress& address) {
  return address.unix_path.empty() ? OpenTcp(address) : OpenUnix(address);
}

absl::StatusOr<ListenSocket> ListenSocket::OpenUnix(const ListenAddress& address) {
  if (absl::Status status = MakeFolder(address); !status.ok()) return status;
  // Two daemons that start at once must not clear each other's socket.
  const wire::UniqueFd folder(open(FolderOf(address.unix_path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Failed(address, "cannot open its folder", errno);
  flock(folder.get(), LOCK_EX);
  if (absl::Status status = ClearStale(address); !status.ok()) return status;

  wire::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failed(address, "socket", errno);
  // Before anybody can connect: the mode of the file comes from the descriptor's.
  fchmod(fd.get(), 0600);
  const sockaddr_un name = UnixAddress(address.unix_path);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0)
    return Failed(address, "bind", errno);
  if (chmod(address.unix_path.c_str(), 0600) != 0) return Failed(address, "chmod", errno);
  if (listen(fd.get(), kBacklog) != 0) return Failed(address, "listen", errno);

  ListenSocket out(address, std::move(fd));
  struct stat made {};
  if (lstat(address.unix_path.c_str(), &made) == 0) {
    out.device_ = made.st_dev;
    out.inode_ = made.st_ino;
  }
  return out;
}

absl::StatusOr<ListenSocket> ListenSocket::OpenTcp(const ListenAddress& address) {
  const bool six = address.host == "::1";
  wire::UniqueFd fd(socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failed(address, "socket", errno);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_storage name{};
  socklen_t size = 0;
  if (six) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&name);
    in6->sin6_family = AF_INET6;
    in6->sin6_addr = in6addr_loopback;
    in6->sin6_port = htons(address.port);
    size = sizeof(*in6);
  } else {
    auto* in4 = reinterpret_cast<sockaddr_in*>(&name);
    in4->sin_family = AF_INET;
    inet_pton(AF_INET, address.host.c_str(), &in4->sin_addr);
    in4->sin_port = htons(address.port);
    size = sizeof(*in4);
  }
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return Failed(address, "bind", errno);
  if (listen(fd.get(), kBacklog) != 0) return Failed(address, "listen", errno);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size);
  ListenAddress found = address;
  found.port =
      ntohs(six ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
  return ListenSocket(std::move(found), std::move(fd));
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : address_(std::move(other.address_)), fd_(std::move(other.fd_)), device_(other.device_), inode_(other.inode_) {}

ListenSocket::~ListenSocket() {
  if (!fd_ || inode_ == 0) return;
  struct stat now {};
  const bool ours = lstat(address_.unix_path.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_;
  if (ours) unlink(address_.unix_path.c_str());
}

}  // namespace poold::transport
