#include "transport/local/payload_socket.h"

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
#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/convert.h"
#include "base/log.h"
#include "transport/peer.h"
#include "wire/fd_socket.h"

namespace poold::transport {
namespace {

absl::Status NotServing(const char* what) { return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno))); }

// What was sent was read.
bool HasReadAll(int socket) {
  int unread = 0;
  return ioctl(socket, SIOCOUTQ, &unread) == 0 && unread == 0;
}

}  // namespace

using wire::PayloadStatus;

bool AsksToBeHandedOn(int socket) {
  // All of it but the number.
  wire::PayloadRequest first{};
  constexpr std::size_t kBytes = offsetof(wire::PayloadRequest, number);
  if (recv(socket, &first, kBytes, MSG_PEEK | MSG_DONTWAIT) != static_cast<ssize_t>(kBytes)) return false;
  const auto what = static_cast<wire::PayloadAsk>(first.ask);
  const bool has_no_id = std::all_of(std::begin(first.id), std::end(first.id), [](char byte) { return byte == 0; });
  return (what == wire::PayloadAsk::kSession || what == wire::PayloadAsk::kCalls) && first.zero == 0 && has_no_id;
}

PayloadStatus PayloadHandler::Offer(const wire::PayloadRequest& request, wire::UniqueFd* sealed) {
  const std::optional<core::HandleId> id = api::ParseId(std::string_view(request.id, sizeof request.id));
  if (!id || request.number > service_.options.limits.max_payload_bytes) return PayloadStatus::kBad;
  const core::Nanos now = service_.clock->Now();
  if (!service_.uploads.Reserve(request.number, now).ok()) return PayloadStatus::kNotThisWay;
  auto file = service_.options.spool->Adopt(sealed, request.number);
  absl::Status status = file.status();
  if (status.ok()) status = service_.uploads.Keep(*id, core::Bytes(*file, (*file)->view()), now);
  if (status.ok()) return PayloadStatus::kTaken;
  service_.uploads.Abandon(request.number);
  return absl::IsResourceExhausted(status) ? PayloadStatus::kNotThisWay : PayloadStatus::kBad;
}

PayloadHandler::Found PayloadHandler::Fetch(const wire::PayloadRequest& request) {
  const std::optional<core::HandleId> id = api::ParseId(std::string_view(request.id, sizeof request.id));
  if (!id) return {};
  const absl::StatusOr<core::Payload> result = service_.engine.AtHandle(
      *id, [&](core::Core& core, core::Nanos) { return core.ViewResult(*id, request.number); });
  if (!result.ok()) return {};
  const base::FilePart part = base::PartBehind(result->data.owner(), result->data.view());
  // Who knows arenas was told where in which one it lies.
  if (part.file == nullptr || !part.whole || part.file->arena() != nullptr) return {};
  return {result->data.owner(), part.file};
}

std::shared_ptr<base::Arena> PayloadHandler::Share(const wire::PayloadRequest& request, wire::UniqueFd* fd,
                                                   PayloadStatus* status) {
  auto arena = service_.options.spool->AdoptArena(fd, request.number);
  *status = arena.ok()                                ? PayloadStatus::kTaken
            : absl::IsInvalidArgument(arena.status()) ? PayloadStatus::kBad
                                                      : PayloadStatus::kNotThisWay;
  return arena.ok() ? *std::move(arena) : nullptr;
}

std::shared_ptr<base::Arena> PayloadHandler::Map(const wire::PayloadRequest& request) const {
  return service_.options.spool->FindArena(request.number);
}

PayloadSocket::PayloadSocket(api::ServiceContext* service, HandOn hand_on)
    : service_(*service), payload_handler_(service), hand_on_(std::move(hand_on)) {}

PayloadSocket::~PayloadSocket() { Stop(); }

absl::Status PayloadSocket::Start() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !wake_) return NotServing("cannot wait for connections");
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_.get()}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) return NotServing("epoll_ctl");
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void PayloadSocket::Stop() {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    come_.clear();
  }
  Wake();
  thread_.join();
  connections_.clear();
}

void PayloadSocket::Take(wire::UniqueFd connection, Ticket ticket) {
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) return;
    come_.push_back({.fd = std::move(connection), .ticket = std::move(ticket)});
  }
  Wake();
}

void PayloadSocket::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void PayloadSocket::Run() {
  pthread_setname_np(pthread_self(), "poold-payload");
  std::array<epoll_event, 64> events;
  while (true) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), Timeout());
    if (ready < 0 && errno != EINTR) return;
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_.get()) {
        if (!TakeNew()) return;
      } else if (const auto found = connections_.find(fd); found != connections_.end() && !Read(&found->second)) {
        Close(found);
      }
    }
    service_.uploads.DropExpired(service_.clock->Now());
  }
}

// Until the next upload expires.
int PayloadSocket::Timeout() const {
  const core::Nanos expiry = service_.uploads.next_expiry();
  if (expiry == core::kNever) return -1;
  const core::Nanos wait = std::max<core::Nanos>(expiry - service_.clock->Now(), 0);
  return static_cast<int>(std::min<core::Nanos>(wait / core::kMillisecond + 1, 60'000));
}

bool PayloadSocket::TakeNew() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &wakes, sizeof wakes);
  std::vector<Connection> come;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) return false;
    come.swap(come_);
  }
  for (Connection& connection : come) {
    const int fd = connection.fd.get();
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) connections_.emplace(fd, std::move(connection));
  }
  return true;
}

// What a client submitted last may be on its way still, by another connection.
void PayloadSocket::Close(std::map<int, Connection>::iterator connection) {
  for (std::shared_ptr<base::Arena>& arena : connection->second.arenas) {
    if (!arena->mapping().AllFree()) service_.options.spool->KeepArena(std::move(arena));
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
  // In use from now on: arenas live as long as their connection.
  if (c.ticket->calls() == 0) c.ticket->BeginCall();
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
    const wire::PayloadStatus status = payload_handler_.Offer(request, &c.descriptors.front());
    return Answer(c, status) && status != wire::PayloadStatus::kBad;
  }
  if (request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kFetch) && c.descriptors.empty()) {
    const PayloadHandler::Found found = payload_handler_.Fetch(request);
    if (found.file == nullptr) return Answer(c, wire::PayloadStatus::kNotThisWay);
    return Answer(c, wire::PayloadStatus::kTaken, found.file->view().size(), found.file->fd());
  }
  for (const wire::PayloadAsk what : {wire::PayloadAsk::kSession, wire::PayloadAsk::kCalls}) {
    if (request.ask == static_cast<std::uint32_t>(what) && c.descriptors.empty()) return ServeHandOn(connection, what);
  }
  return ServeArena(connection, request);
}

// False with the socket gone: another thread has it now.
bool PayloadSocket::ServeHandOn(Connection* connection, wire::PayloadAsk what) {
  const int fd = connection->fd.get();
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  if (hand_on_(what, &connection->fd, &connection->ticket)) return false;
  Answer(*connection, wire::PayloadStatus::kNotThisWay);
  return false;
}

bool PayloadSocket::ServeArena(Connection* connection, const wire::PayloadRequest& request) {
  Connection& c = *connection;
  const bool share = request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kShare) && c.descriptors.size() == 1;
  const bool map = request.ask == static_cast<std::uint32_t>(wire::PayloadAsk::kMap) && c.descriptors.empty();
  if (!share && !map) return Answer(c, wire::PayloadStatus::kBad), false;
  // What lies in an arena may change under who reads it.
  if (!IsSameUser(c.ticket->peer())) return Answer(c, wire::PayloadStatus::kNotThisWay);
  if (map) {
    const std::shared_ptr<base::Arena> arena = payload_handler_.Map(request);
    if (arena == nullptr) return Answer(c, wire::PayloadStatus::kNotThisWay);
    return Answer(c, wire::PayloadStatus::kTaken, arena->mapping().shape().slot_bytes, arena->fd());
  }
  std::erase_if(c.arenas, [](const std::shared_ptr<base::Arena>& arena) { return arena->empty(); });
  wire::PayloadStatus status{};
  std::shared_ptr<base::Arena> arena = payload_handler_.Share(request, &c.descriptors.front(), &status);
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

}  // namespace poold::transport
