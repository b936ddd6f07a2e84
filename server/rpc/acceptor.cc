#include "rpc/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "rpc/peer.h"

namespace poold::rpc {
namespace {

// When descriptors have run out.
constexpr int kPauseMilliseconds = 200;

absl::Status Failed(const char* what) { return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno))); }

bool OutOfDescriptors(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

Acceptor::Acceptor(std::vector<ListenSocket> sockets, std::uint32_t max_connections, std::function<void(int)> hand_over)
    : sockets_(std::move(sockets)), max_connections_(max_connections), hand_over_(std::move(hand_over)) {}

Acceptor::~Acceptor() { Stop(); }

absl::Status Acceptor::Start() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  stop_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !stop_) return Failed("cannot wait for connections");
  epoll_event event{.events = EPOLLIN, .data = {.fd = stop_.get()}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event) != 0) return Failed("epoll_ctl");
  Listen(true);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Acceptor::Stop() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof(one));
    thread_.join();
  }
  sockets_.clear();
  connections_.clear();
}

void Acceptor::Listen(bool on) {
  for (const ListenSocket& socket : sockets_) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket.fd()}};
    epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, socket.fd(), &event);
  }
  paused_ = !on;
}

void Acceptor::Run() {
  pthread_setname_np(pthread_self(), "poold-accept");
  std::array<epoll_event, 64> events;
  while (true) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), paused_ ? kPauseMilliseconds : -1);
    if (ready < 0 && errno != EINTR) return;
    bool time_to_try = ready == 0;
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == stop_.get()) return;
      if (connections_.erase(fd) > 0) {  // it is gone, and its descriptors came free
        time_to_try = true;
        continue;
      }
      for (const ListenSocket& socket : sockets_) {
        if (socket.fd() == fd && !paused_) AcceptFrom(socket);
      }
    }
    if (paused_ && time_to_try) Listen(true);
  }
}

void Acceptor::AcceptFrom(const ListenSocket& socket) {
  while (true) {
    wire::UniqueFd fd(accept4(socket.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    // The last ones are kept for what exists: this one is turned away, and others wait as if there were none.
    if (base::IsReserved(fd.get())) {
      fd.Reset();
      errno = EMFILE;
    }
    if (fd) {
      if (Admit(socket, fd.get())) {
        Watch(fd.get());
        hand_over_(fd.Release());
      }
      continue;
    }
    if (OutOfDescriptors(errno)) {
      base::Log(base::Level::kWarning, "accept_paused",
                {{"address", socket.address().ToString()}, {"reason", strerror(errno)}});
      return Listen(false);
    }
    if (errno != EINTR && errno != ECONNABORTED) return;
  }
}

bool Acceptor::Admit(const ListenSocket& socket, int fd) {
  if (connections_.size() >= max_connections_) {
    base::Log(base::Level::kWarning, "connection_refused",
              {{"reason", "too many connections"}, {"max_connections", max_connections_}});
    return false;
  }
  if (!socket.is_unix()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return true;
  }
  return IsOurUser(fd);
}

// A hang-up is reported once both ends are shut down; gRPC shuts its end down when the peer is gone.
void Acceptor::Watch(int fd) {
  wire::UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return;
  epoll_event event{.events = EPOLLET, .data = {.fd = copy.get()}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, copy.get(), &event) != 0) return;
  const int key = copy.get();
  connections_.emplace(key, std::move(copy));
}

}  // namespace poold::rpc
