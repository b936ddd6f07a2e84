#include "rpc/listen_socket.h"

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

#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace poold::rpc {
namespace {

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

}  // namespace poold::rpc
