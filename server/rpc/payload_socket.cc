#include "rpc/payload_socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "rpc/peer.h"
#include "wire/fd_socket.h"

namespace poold::rpc {
namespace {

// One for each client that uses it; the others use gRPC.
constexpr std::size_t kMaxConnections = 256;
// When descriptors have run out.
constexpr int kPauseMilliseconds = 200;

absl::Status Failed(const char* what) { return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno))); }

// What was sent was read.
bool HasReadAll(int socket) {
  int unread = 0;
  return ioctl(socket, SIOCOUTQ, &unread) == 0 && unread == 0;
}

}  // namespace

PayloadSocket::PayloadSocket(ListenSocket socket, Backend* backend, TakeSession take_session)
    : socket_(std::make_unique<ListenSocket>(std::move(socket))),
      backend_(*backend),
      desk_(backend),
      take_session_(std::move(take_session)) {}

PayloadSocket::~PayloadSocket() { Stop(); }

absl::Status PayloadSocket::Start() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  stop_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !stop_) return Failed("cannot wait for connections");
  for (const int fd : {stop_.get(), socket_->fd()}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return Failed("epoll_ctl");
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void PayloadSocket::Stop() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof(one));
    thread_.join();
  }
  socket_.reset();
  connections_.clear();
}

void PayloadSocket::Run() {
  pthread_setname_np(pthread_self(), "poold-payload");
  std::array<epoll_event, 64> events;
  while (true) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), Timeout());
    if (ready < 0 && errno != EINTR) return;
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == stop_.get()) return;
      if (fd == socket_->fd()) {
        Accept();
      } else if (const auto found = connections_.find(fd); found != connections_.end() && !Read(&found->second)) {
        Close(found);
      }
    }
    backend_.uploads.DropExpired(backend_.clock->Now());
  }
}

// Until the next upload expires.
int PayloadSocket::Timeout() const {
  const core::Nanos expiry = backend_.uploads.next_expiry();
  if (expiry == core::kNever) return -1;
  const core::Nanos wait = std::max<core::Nanos>(expiry - backend_.clock->Now(), 0);
  return static_cast<int>(std::min<core::Nanos>(wait / core::kMillisecond + 1, 60'000));
}

void PayloadSocket::Accept() {
  while (true) {
    wire::UniqueFd fd(accept4(socket_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      // Who waits there is let in when some are closed; until then this thread must not spin.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) usleep(kPauseMilliseconds * 1000);
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    if (connections_.size() >= kMaxConnections || !IsOurUser(fd.get())) continue;
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.fd = fd.get()}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) continue;
    Connection& connection = connections_[fd.get()];
    connection.same_user = IsSameUser(fd.get());
    connection.fd = std::move(fd);
  }
}

// What a client submitted last may be on its way still, by another connection.
void PayloadSocket::Close(std::map<int, Connection>::iterator connection) {
  for (std::shared_ptr<base::Arena>& arena : connection->second.arenas) {
    if (!arena->mapping().AllFree()) backend_.options.spool->KeepArena(std::move(arena));
  }
  connections_.erase(connection);
}

bool PayloadSocket::Read(Connection* connection) {
  Connection& c = *connection;
  const auto got = wire::Receive(c.fd.get(), c.request + c.have, sizeof c.request - c.have, &c.descriptors);
  if (!got.ok() || got->end_of_file) return false;
  if (c.descriptors.size() > 1) return Answer(c, wire::PayloadStatus::kBad), false;
  c.have += got->bytes;
  c.lost_descriptors |= got->lost_descriptors;
  if (c.have < sizeof c.request) return true;
  c.have = 0;
  const bool goes_on = HasReadAll(c.fd.get()) && Serve(&c);
  c.descriptors.clear();
  return goes_on;
}

bool PayloadSocket::Serve(Connection* connection) {
  Connection& c = *connection;
  wire::PayloadRequest request;
  memcpy(&request, c.request, sizeof request);
  // No fault of the client, which has other ways.
  if (std::exchange(c.lost_descriptors, false)) return Answer(c, wire::PayloadStatus::kNotThisWay);
  if (request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kOffer) && c.descriptors.size() == 1) {
    const wire::PayloadStatus status = desk_.Offer(request, &c.descriptors.front());
    return Answer(c, status) && status != wire::PayloadStatus::kBad;
  }
  if (request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kFetch) && c.descriptors.empty()) {
    const PayloadDesk::Found found = desk_.Fetch(request);
    if (found.file == nullptr) return Answer(c, wire::PayloadStatus::kNotThisWay);
    return Answer(c, wire::PayloadStatus::kTaken, found.file->view().size(), found.file->fd());
  }
  if (request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kSession) && c.descriptors.empty()) {
    return ServeSession(connection);
  }
  return ServeArena(connection, request);
}

// False with the socket gone: the session has it now.
bool PayloadSocket::ServeSession(Connection* connection) {
  const int fd = connection->fd.get();
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  if (take_session_(&connection->fd)) return false;
  Answer(*connection, wire::PayloadStatus::kNotThisWay);
  return false;
}

bool PayloadSocket::ServeArena(Connection* connection, const wire::PayloadRequest& request) {
  Connection& c = *connection;
  const bool share = request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kShare) && c.descriptors.size() == 1;
  const bool map = request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kMap) && c.descriptors.empty();
  if (!share && !map) return Answer(c, wire::PayloadStatus::kBad), false;
  // What lies in an arena may change under who reads it.
  if (!c.same_user) return Answer(c, wire::PayloadStatus::kNotThisWay);
  if (map) {
    const std::shared_ptr<base::Arena> arena = desk_.Map(request);
    if (arena == nullptr) return Answer(c, wire::PayloadStatus::kNotThisWay);
    return Answer(c, wire::PayloadStatus::kTaken, arena->mapping().shape().slot_bytes, arena->fd());
  }
  std::erase_if(c.arenas, [](const std::shared_ptr<base::Arena>& arena) { return arena->empty(); });
  wire::PayloadStatus status{};
  std::shared_ptr<base::Arena> arena = desk_.Share(request, &c.descriptors.front(), &status);
  if (arena == nullptr) return Answer(c, status) && status != wire::PayloadStatus::kBad;
  c.arenas.push_back(std::move(arena));
  return Answer(c, status, c.arenas.back()->number());
}

bool PayloadSocket::Answer(const Connection& connection, wire::PayloadStatus status, std::uint64_t number,
                           int descriptor) {
  const wire::PayloadAnswer answer{static_cast<std::uint32_t>(status), 0, number};
  std::vector<int> descriptors;
  if (descriptor >= 0) descriptors.push_back(descriptor);
  const std::string_view bytes(reinterpret_cast<const char*>(&answer), sizeof answer);
  return wire::SendAll(connection.fd.get(), bytes, descriptors, wire::Patience::kNoWait).ok();
}

}  // namespace poold::rpc
