#include "transport/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "core/errors.h"
#include "transport/local/payload_socket.h"
#include "wire/absl_text.h"

namespace poold::transport {
namespace {

// When descriptors have run out.
constexpr int kPauseMilliseconds = 200;
// When they are few: how many newcomers wait for one, how often they are looked at, and how many times.
constexpr std::size_t kMostWaiting = 16;
constexpr int kLookMilliseconds = 20;
constexpr int kLooks = 25;
// Descriptors that connections leave to everything else: a quarter, but no more than so many.
constexpr rlim_t kMostInReserve = 512;
// Accepted in one go: between them those come to an end that made room.
constexpr int kBatch = 16;
constexpr std::size_t kMostFirstBytes = 64;

absl::Status Failed(const char* what) { return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno))); }

bool OutOfDescriptors(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

// What a newcomer with this descriptor costs. The kernel gives the lowest number that is free: a high one means that
// those below are taken.
enum class Price { kNone, kStranger, kTooHigh };
Price PriceOf(int fd) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return Price::kNone;
  const rlim_t reserve = std::min(limit.rlim_cur / 4, kMostInReserve);
  const auto number = static_cast<rlim_t>(fd);
  // Those that make room take a moment to go.
  if (number >= limit.rlim_cur - reserve * 3 / 4) return Price::kTooHigh;
  return number >= limit.rlim_cur - reserve ? Price::kStranger : Price::kNone;
}

enum class Heard { kEnough, kTooLittle, kEnd };
Heard Hear(int fd, std::size_t first_bytes) {
  char bytes[kMostFirstBytes];
  const ssize_t got = recv(fd, bytes, std::min(first_bytes, sizeof bytes), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Heard::kTooLittle : Heard::kEnd;
  if (got == 0) return Heard::kEnd;
  return static_cast<std::size_t>(got) >= first_bytes ? Heard::kEnough : Heard::kTooLittle;
}

// Small messages leave at once, and who has gone silent is noticed within a minute.
void PrepareTcp(int fd) {
  const auto set = [fd](int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

// With the lowest number that is free.
wire::UniqueFd Lowest(wire::UniqueFd fd) {
  wire::UniqueFd lowest(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  return lowest && lowest.get() < fd.get() ? std::move(lowest) : std::move(fd);
}

absl::Status ShortOfDescriptors() {
  return core::MakeError(reason::kTooManyConnections,
                         "too many connections: poold is short of file descriptors and keeps the last ones for "
                         "workers; close some connections, or raise its limit (LimitNOFILE, ulimit -n)",
                         "descriptors", core::kSecond);
}

absl::Status AnotherUser(const Peer& peer) {
  return core::MakeError(reason::kAnotherUser,
                         absl::StrCat("this poold runs as the user ", geteuid(),
                                      " and serves that user and root, not the user ", peer.uid),
                         "uid");
}

}  // namespace

Acceptor::Acceptor(std::vector<Door> doors) : doors_(std::move(doors)) {}

Acceptor::~Acceptor() { Stop(); }

absl::Status Acceptor::Start() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  stop_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !stop_ || !refusals_.Open()) return Failed("cannot wait for connections");
  for (const int fd : {stop_.get(), refusals_.fd()}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return Failed("epoll_ctl");
  }
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
  silent_.clear();
  waiting_.clear();
  doors_.clear();
}

void Acceptor::Listen(bool on) {
  for (const Door& door : doors_) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = door.socket.fd()}};
    epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, door.socket.fd(), &event);
  }
  paused_ = !on;
}

void Acceptor::Run() {
  pthread_setname_np(pthread_self(), "poold-accept");
  std::array<epoll_event, 64> events;
  while (true) {
    const int ready = epoll_wait(epoll_.get(), events.data(), events.size(), Patience());
    if (ready < 0 && errno != EINTR) return;
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == stop_.get()) return;
      if (fd == refusals_.fd()) refusals_.Proceed();
      if (silent_.contains(fd)) HearSilent(fd);
      for (const Door& door : doors_) {
        if (door.socket.fd() == fd && !paused_) AcceptFrom(door);
      }
    }
    LookAtWaiting();
    if (paused_ && ready == 0) Listen(true);
  }
}

void Acceptor::AcceptFrom(const Door& door) {
  for (int i = 0; i < kBatch; ++i) {
    // The last descriptors are kept for what exists: newcomers wait in the kernel's queue as if there were none.
    if (!HasFreeDescriptor()) {
      if (DropEnded()) continue;
      return Pause(door);
    }
    wire::UniqueFd fd(accept4(door.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) {
      Receive(door, std::move(fd));
    } else if (OutOfDescriptors(errno)) {
      return Pause(door);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// Sets errno.
bool Acceptor::HasFreeDescriptor() const {
  const wire::UniqueFd probe(fcntl(epoll_.get(), F_DUPFD_CLOEXEC, 0));
  if (!base::IsReserved(probe.get())) return static_cast<bool>(probe);
  errno = EMFILE;
  return false;
}

bool Acceptor::DropEnded() {
  const auto has_ended = [](const auto& one) { return Hear(one.fd.get(), one.door->first_bytes) == Heard::kEnd; };
  const std::size_t waiting = std::erase_if(waiting_, has_ended);
  return std::erase_if(silent_, [&](const auto& entry) { return has_ended(entry.second); }) + waiting != 0;
}

void Acceptor::Receive(const Door& door, wire::UniqueFd fd) {
  // Gone before it was accepted: nobody makes room for it.
  if (Hear(fd.get(), door.first_bytes) == Heard::kEnd) return;
  if (CanAfford(fd.get())) return LetIn(door, std::move(fd));
  if (waiting_.size() >= kMostWaiting) return Refuse(door, std::move(fd), ShortOfDescriptors());
  waiting_.push_back({&door, std::move(fd)});
}

int Acceptor::Patience() const {
  if (!waiting_.empty()) return kLookMilliseconds;
  return paused_ ? kPauseMilliseconds : -1;
}

// Whoever made room may be gone by now.
void Acceptor::LookAtWaiting() {
  const auto now = std::chrono::steady_clock::now();
  if (waiting_.empty() || now - looked_ < std::chrono::milliseconds(kLookMilliseconds)) return;
  looked_ = now;
  DropEnded();
  for (Waiting& one : std::exchange(waiting_, {})) {
    one.fd = Lowest(std::move(one.fd));
    if (PriceOf(one.fd.get()) != Price::kTooHigh && CanAfford(one.fd.get())) {
      LetIn(*one.door, std::move(one.fd));
    } else if (++one.looks == kLooks) {
      Refuse(*one.door, std::move(one.fd), ShortOfDescriptors());
    } else {
      waiting_.push_back(std::move(one));
    }
  }
}

void Acceptor::LetIn(const Door& door, wire::UniqueFd fd) {
  absl::StatusOr<Ticket> ticket = Admit(door, fd.get());
  if (!ticket.ok()) return Refuse(door, std::move(fd), ticket.status());
  if (Hear(fd.get(), door.first_bytes) == Heard::kEnough) return HandOver(door, std::move(fd), *std::move(ticket));
  const int key = fd.get();
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.fd = key}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, key, &event) != 0) return;
  silent_.emplace(key, Silent{&door, std::move(fd), *std::move(ticket)});
}

void Acceptor::HearSilent(int fd) {
  const auto found = silent_.find(fd);
  const Heard heard = Hear(fd, found->second.door->first_bytes);
  if (heard == Heard::kTooLittle) return;
  Silent silent = std::move(found->second);
  silent_.erase(found);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  if (heard == Heard::kEnough) HandOver(*silent.door, std::move(silent.fd), std::move(silent.ticket));
}

void Acceptor::HandOver(const Door& door, wire::UniqueFd fd, Ticket ticket) {
  const absl::Status status = door.hand_over(&fd, &ticket);
  if (!status.ok()) Refuse(door, std::move(fd), status);
}

void Acceptor::Refuse(const Door& door, wire::UniqueFd fd, const absl::Status& why) {
  LogRefusal(door, fd.get(), why);
  if (door.transport != Transport::kLocal) return refusals_.Add(std::move(fd), why);
  const std::string words = LocalFarewell();
  if (absl::IsResourceExhausted(why)) send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Of many in one second, one.
void Acceptor::LogRefusal(const Door& door, int fd, const absl::Status& why) {
  const auto now = std::chrono::steady_clock::now();
  if (now - logged_ < std::chrono::seconds(1)) {
    ++not_logged_;
    return;
  }
  logged_ = now;
  const std::optional<Peer> peer = PeerOf(fd, door.transport);
  base::Log(base::Level::kWarning, "connection_refused",
            {{"address", door.socket.address().ToString()},
             {"peer", peer ? peer->ToString() : ""},
             {"reason", wire::ToStd(why.message())},
             {"not_logged", std::exchange(not_logged_, 0)}});
}

absl::StatusOr<Ticket> Acceptor::Admit(const Door& door, int fd) {
  std::optional<Peer> peer = PeerOf(fd, door.transport);
  if (!peer) return absl::UnavailableError("the peer is gone");
  if (!MayConnect(*peer)) return AnotherUser(*peer);
  if (door.transport == Transport::kGrpcTcp) PrepareTcp(fd);
  return door.table->Admit(*std::move(peer), fd);
}

// Makes room where descriptors are few; that takes a moment.
bool Acceptor::CanAfford(int fd) {
  const Price price = PriceOf(fd);
  if (price == Price::kNone) return true;
  return ShedStranger() && price == Price::kStranger;
}

// The oldest of all doors: a newcomer at one makes no room for the many of another.
bool Acceptor::ShedStranger() {
  const auto oldest = std::min_element(doors_.begin(), doors_.end(), [](const Door& a, const Door& b) {
    return a.table->OldestStrangerNumber() < b.table->OldestStrangerNumber();
  });
  return oldest != doors_.end() && oldest->table->ShedStranger();
}

// Who waits at a door is let in later.
void Acceptor::Pause(const Door& door) {
  base::Log(base::Level::kWarning, "accept_paused",
            {{"address", door.socket.address().ToString()}, {"reason", strerror(errno)}});
  ShedStranger();
  Listen(false);
}

}  // namespace poold::transport
