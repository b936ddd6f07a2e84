#include "transport/local/local_session.h"

#include <sys/epoll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "base/log.h"
#include "core/errors.h"
#include "google/rpc/status.pb.h"

namespace poold::transport {
namespace {

// So much of each session is not counted: whoever sends small messages waits for nobody's memory.
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

using Came = wire::MessageSocket::Received;
using Found = wire::MessageSocket::Found;
using Sent = wire::MessageSocket::Sent;

}  // namespace

LocalSession::LocalSession(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket)
    : session::Session(&loop->transport->service, &loop->due),
      loop_(*loop),
      socket_(std::move(socket), static_cast<std::uint32_t>(loop->transport->service.options.max_message_bytes)),
      ticket_(std::move(ticket)),
      request_(loop->transport->service.options),
      half_read_(loop->transport->half_read, ticket_->peer(), -1, [this](std::uint64_t) { loop_.look_at(fd()); }) {}

bool LocalSession::Start() {
  {
    absl::MutexLock lock(&mu_);
    awaited_ = EPOLLIN;
    epoll_event event{.events = awaited_, .data = {.fd = fd()}};
    if (epoll_ctl(loop_.epoll.get(), EPOLL_CTL_ADD, fd(), &event) != 0) return false;
  }
  Enter(OriginOf(ticket_->peer()));
  return true;
}

void LocalSession::Await(std::uint32_t events, bool on) {
  awaited_ = on ? awaited_ | events : awaited_ & ~events;
  epoll_event event{.events = awaited_, .data = {.fd = fd()}};
  epoll_ctl(loop_.epoll.get(), EPOLL_CTL_MOD, fd(), &event);
}

void LocalSession::AwaitInput() { Await(EPOLLIN, !ending_ && !paused_ && !hungry_); }

bool LocalSession::OnEvents(std::uint32_t events) {
  if (half_read_.is_cut()) EndStalled();
  if ((events & EPOLLOUT) != 0) SendRest();
  const bool readable = (events & EPOLLIN) != 0;
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0 && !readable;
  const bool goes_on = !broken && (readable ? Read() : TakeRead());
  if (!goes_on || sent_) Cut();
  return !left_;
}

bool LocalSession::Read() {
  if (ending_ || !TakeMemory()) return true;
  const std::size_t before = socket_.in_bytes();
  switch (socket_.Receive()) {
    case Came::kNothing:
      return true;
    case Came::kSome:
      half_read_.Came(socket_.in_bytes() - before, service().clock->Now());
      return TakeRead();
    case Came::kEnd:
      End(absl::OkStatus());  // the client has said everything, or is gone
      return true;
    case Came::kBroken:
      return false;
  }
  return false;
}

bool LocalSession::TakeRead() {
  wire::MessageSocket::Message message;
  while (!ending_ && GoesOn()) {
    const Found found = socket_.Next(&message);
    if (found == Found::kNone) return true;
    const absl::Status taken = found == Found::kTooLong ? TooLong() : TakeBytes(message.bytes);
    if (!taken.ok()) End(taken);
  }
  return true;
}

// For what comes next. False: there is none now, and nothing is read until there is.
bool LocalSession::TakeMemory() {
  const std::size_t wanted = CountedInMemory(socket_.in_memory_wanted());
  CountMemory();
  const bool there =
      wanted <= half_read_.held() || half_read_.Hold(wanted, HalfRead::Need::kCanWait, service().clock->Now());
  SetHungry(!there);
  return there;
}

// What was given back is no longer counted.
void LocalSession::CountMemory() {
  const std::size_t counted = CountedInMemory(socket_.in_memory());
  if (counted < half_read_.held()) half_read_.Hold(counted, HalfRead::Need::kCanWait, service().clock->Now());
  WantTend();
}

void LocalSession::WantTend() {
  const bool to_tend = hungry_ || half_read_.held() > 0;
  if (to_tend == std::exchange(to_tend_, to_tend)) return;
  loop_.to_tend += to_tend ? 1 : -1;
}

void LocalSession::SetHungry(bool hungry) {
  if (hungry != std::exchange(hungry_, hungry)) {
    hungry_for_ = 0;
    absl::MutexLock lock(&mu_);
    AwaitInput();
  }
  WantTend();
}

void LocalSession::Tend() {
  if (!to_tend_) return;
  if (hungry_) {
    if (!TakeMemory() && ++hungry_for_ >= kHungryFor) End(NoMemory());
  } else if (socket_.in_bytes() == 0) {
    socket_.DropIn();
    CountMemory();
  }
}

void LocalSession::EndStalled() {
  if (ending_) return;
  base::Log(base::Level::kWarning, "session_stalled",
            {{"peer", ticket_->peer().ToString()}, {"bytes", socket_.in_bytes()}});
  End(Stalled());
}

absl::Status LocalSession::TooLong() const {
  return absl::ResourceExhaustedError(
      absl::StrCat("a request of a session has at most ", service().options.max_message_bytes, " bytes"));
}

absl::Status LocalSession::TakeBytes(std::string_view bytes) {
  request_.Parse(bytes);
  return request_.status().ok() ? Take(&request_.message()) : request_.status();
}

// Whether to take more from the client: not while much waits for it. Whoever sends then asks for another look.
bool LocalSession::GoesOn() {
  absl::MutexLock lock(&mu_);
  const bool pauses = paused_ ? !EnoughWasSent() : TooMuchWaits();
  if (pauses != std::exchange(paused_, pauses)) AwaitInput();
  return !pauses;
}

void LocalSession::Flush() {
  if (turn_.TryBegin()) return Drive();
  if (!MustGo(stuck_since_.load(std::memory_order_relaxed))) return;
  if (stuck_since_.exchange(0) != 0) base::Log(base::Level::kWarning, "session_not_read", {{"cut", "true"}});
  socket_.Shut();  // the LocalThread sees that
}

// Has the turn. Keeps it while the socket is full, and for ever after the end.
void LocalSession::Drive() {
  do {
    while (PutNext()) {
      if (!Send()) return;
    }
  } while (!turn_.TryEnd());
}

// False: there is nothing to send.
bool LocalSession::PutNext() {
  const bool ended = ended_;
  if (outbox().Fill(&response_)) {
    socket_.Put(response_);
    return true;
  }
  if (!ended) return false;
  socket_.Put(api::ToProto(status_), /*last=*/true);
  return put_last_ = true;
}

// False: what goes on is the LocalThread's, when the socket can be written, or nothing.
bool LocalSession::Send() {
  const Sent sent = socket_.Send();
  absl::MutexLock lock(&mu_);
  if (sent == Sent::kFull) {
    stuck_since_.store(service().clock->Now(), std::memory_order_relaxed);
    Await(EPOLLOUT, true);
    return false;
  }
  if (sent == Sent::kBroken || put_last_) {
    sent_ = true;
    socket_.Shut();  // the LocalThread sees that
    return false;
  }
  if (paused_ && EnoughWasSent()) loop_.look_at(fd());
  return true;
}

// It waits for writing only while the turn is kept for it.
void LocalSession::SendRest() {
  {
    absl::MutexLock lock(&mu_);
    Await(EPOLLOUT, false);
  }
  stuck_since_.store(0, std::memory_order_relaxed);
  if (Send()) Drive();
}

void LocalSession::End(const absl::Status& status) {
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
  Flush();
}

void LocalSession::Cut() {
  if (std::exchange(left_, true)) return;
  ending_ = true;
  SetHungry(false);
  socket_.DropIn();
  CountMemory();
  epoll_ctl(loop_.epoll.get(), EPOLL_CTL_DEL, fd(), nullptr);
  socket_.Shut();
  Leave();
}

}  // namespace poold::transport
