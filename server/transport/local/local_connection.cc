#include "transport/local/local_connection.h"

#include <sys/epoll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "base/log.h"
#include "core/errors.h"
#include "google/rpc/status.pb.h"

namespace poold::transport {
namespace {

// So much of each connection is not counted: whoever sends small messages waits for nobody's memory.
constexpr std::size_t kUncountedBytes = 64 << 10;
// Who waits for memory for so many Tend is told so: ten seconds.
constexpr int kHungryFor = 40;

std::size_t CountedInMemory(std::size_t bytes) { return bytes > kUncountedBytes ? bytes : 0; }

absl::Status NoMemory() {
  return core::MakeError(reason::kQueueFull,
                         "the memory for messages that have not wholly come is in use by others; try again later",
                         "half_read", core::kSecond);
}

absl::Status Stalled() {
  return core::MakeError(reason::kQueueFull,
                         "a message stopped half-way, while others waited for its memory; send it again at one go",
                         "half_read", core::kSecond);
}

absl::Status TooLong(const api::ServiceContext& services) {
  return absl::ResourceExhaustedError(
      absl::StrCat("a message here has at most ", services.options.max_message_bytes, " bytes"));
}

using Came = wire::MessageSocket::Received;
using Found = wire::MessageSocket::Found;
using Sent = wire::MessageSocket::Sent;

}  // namespace

LocalConnection::LocalConnection(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket, std::uint32_t events)
    : loop_(*loop),
      socket_(std::move(socket), static_cast<std::uint32_t>(services().options.max_message_bytes)),
      ticket_(std::move(ticket)),
      half_read_(loop->transport->half_read, ticket_->peer(), -1, [this](std::uint64_t) { loop_.look_at(fd()); }),
      awaited_(EPOLLIN | events) {}

bool LocalConnection::Start() {
  {
    absl::MutexLock lock(&mu_);
    epoll_event event{.events = awaited_, .data = {.fd = fd()}};
    if (epoll_ctl(loop_.epoll.get(), EPOLL_CTL_ADD, fd(), &event) != 0) return false;
  }
  OnStart();
  return true;
}

void LocalConnection::Await(std::uint32_t events, bool on) {
  awaited_ = on ? awaited_ | events : awaited_ & ~events;
  epoll_event event{.events = awaited_, .data = {.fd = fd()}};
  epoll_ctl(loop_.epoll.get(), EPOLL_CTL_MOD, fd(), &event);
}

void LocalConnection::AwaitInput() { Await(EPOLLIN, !ending_ && !paused_ && !hungry_); }

bool LocalConnection::OnEvents(std::uint32_t events) {
  if (half_read_.is_cut()) EndStalled();
  if ((events & EPOLLOUT) != 0) SendRest();
  const bool readable = (events & EPOLLIN) != 0;
  const bool broken = (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0 && !readable;
  const bool goes_on = !broken && (readable ? Read() : TakeRead());
  if (!goes_on || sent_) Cut();
  return !left_;
}

bool LocalConnection::Read() {
  if (ending_ || !TakeMemory()) return true;
  const std::size_t before = socket_.in_bytes();
  switch (socket_.Receive()) {
    case Came::kNothing:
      return true;
    case Came::kSome:
      half_read_.Came(socket_.in_bytes() - before, services().clock->Now());
      return TakeRead();
    case Came::kEnd:
      return OnHangUp();
    case Came::kBroken:
      return false;
  }
  return false;
}

bool LocalConnection::TakeRead() {
  wire::MessageSocket::Message message;
  while (!ending_ && GoesOn()) {
    BeforeNext();
    const Found found = socket_.Next(&message);
    if (found == Found::kNone) return true;
    const absl::Status taken = found == Found::kTooLong ? TooLong(services()) : OnMessage(message);
    if (!taken.ok()) End(taken);
  }
  return true;
}

// For what comes next. False: there is none now, and nothing is read until there is.
bool LocalConnection::TakeMemory() {
  const std::size_t wanted = CountedInMemory(socket_.in_memory_wanted());
  CountMemory();
  const bool there =
      wanted <= half_read_.held() || half_read_.Hold(wanted, HalfRead::Need::kCanWait, services().clock->Now());
  SetHungry(!there);
  return there;
}

// What was given back is no longer counted.
void LocalConnection::CountMemory() {
  const std::size_t counted = CountedInMemory(socket_.in_memory());
  if (counted < half_read_.held()) half_read_.Hold(counted, HalfRead::Need::kCanWait, services().clock->Now());
  WantTend();
}

void LocalConnection::WantTend() {
  const bool to_tend = hungry_ || half_read_.held() > 0;
  if (to_tend == std::exchange(to_tend_, to_tend)) return;
  loop_.to_tend += to_tend ? 1 : -1;
}

void LocalConnection::SetHungry(bool hungry) {
  if (hungry != std::exchange(hungry_, hungry)) {
    hungry_for_ = 0;
    absl::MutexLock lock(&mu_);
    AwaitInput();
  }
  WantTend();
}

void LocalConnection::Tend() {
  if (!to_tend_) return;
  if (hungry_) {
    if (!TakeMemory() && ++hungry_for_ >= kHungryFor) End(NoMemory());
  } else if (socket_.in_bytes() == 0) {
    socket_.DropIn();
    CountMemory();
  }
}

void LocalConnection::EndStalled() {
  if (ending_) return;
  base::Log(base::Level::kWarning, "connection_stalled",
            {{"peer", ticket_->peer().ToString()}, {"bytes", socket_.in_bytes()}});
  End(Stalled());
}

// Where it does not, whoever sends asks for another look.
bool LocalConnection::GoesOn() {
  absl::MutexLock lock(&mu_);
  const bool pauses = Pauses(paused_);
  if (pauses != std::exchange(paused_, pauses)) AwaitInput();
  return !pauses;
}

bool LocalConnection::Pump() {
  if (!turn_.TryBegin()) return false;
  Drive();
  return true;
}

void LocalConnection::CutOff(std::string_view event) {
  if (stuck_since_.exchange(0) != 0) base::Log(base::Level::kWarning, event, {{"cut", "true"}});
  socket_.Shut();  // the LocalThread sees that
}

// Has the turn. Keeps it while the socket is full, and for ever after the end.
void LocalConnection::Drive() {
  do {
    while (PutSome()) {
      if (!Send()) return;
    }
  } while (!turn_.TryEnd());
}

// False: there is nothing to send.
bool LocalConnection::PutSome() {
  const bool ended = ended_;
  if (PutNext(&socket_)) return true;
  if (!ended) return false;
  socket_.Put(api::ToProto(status_), /*last=*/true);
  return put_last_ = true;
}

// False: what goes on is the LocalThread's, when the socket can be written, or nothing.
bool LocalConnection::Send() {
  const Sent sent = socket_.Send();
  if (sent == Sent::kAll) OnSent();
  if (sent == Sent::kFull) {
    stuck_since_.store(services().clock->Now(), std::memory_order_relaxed);
    if (!OnFull(socket_.out_memory())) CutOff("answer_not_read");
  }
  absl::MutexLock lock(&mu_);
  if (sent == Sent::kFull) {
    Await(EPOLLOUT, true);
    return false;
  }
  if (sent == Sent::kBroken || put_last_) {
    sent_ = true;
    socket_.Shut();  // the LocalThread sees that
    return false;
  }
  if (paused_ && !Pauses(true)) loop_.look_at(fd());
  return true;
}

// It waits for writing only while the turn is kept for it.
void LocalConnection::SendRest() {
  {
    absl::MutexLock lock(&mu_);
    Await(EPOLLOUT, false);
  }
  stuck_since_.store(0, std::memory_order_relaxed);
  if (Send()) Drive();
}

void LocalConnection::End(const absl::Status& status) {
  if (std::exchange(ending_, true)) return;
  SetHungry(false);
  {
    absl::MutexLock lock(&mu_);
    AwaitInput();
  }
  socket_.DropIn();
  CountMemory();
  status_ = status;
  ended_ = true;
  Pump();
}

void LocalConnection::Cut() {
  if (std::exchange(left_, true)) return;
  ending_ = true;
  SetHungry(false);
  socket_.DropIn();
  CountMemory();
  epoll_ctl(loop_.epoll.get(), EPOLL_CTL_DEL, fd(), nullptr);
  socket_.Shut();
  OnCut();
}

}  // namespace poold::transport
