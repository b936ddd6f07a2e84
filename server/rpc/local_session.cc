#include "rpc/local_session.h"

#include <sys/epoll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"
#include "rpc/errors.h"

namespace poold::rpc {
namespace {

using Received = wire::MessageSocket::Received;
using Found = wire::MessageSocket::Found;
using Sent = wire::MessageSocket::Sent;

}  // namespace

LocalSession::LocalSession(LocalLoop* loop, wire::UniqueFd socket, Ticket ticket)
    : Session(loop->backend, &loop->due),
      loop_(*loop),
      socket_(std::move(socket), static_cast<std::uint32_t>(loop->backend->options.max_message_bytes)),
      ticket_(std::move(ticket)) {}

bool LocalSession::Start() {
  {
    absl::MutexLock lock(&mu_);
    awaited_ = EPOLLIN;
    epoll_event event{.events = awaited_, .data = {.fd = fd()}};
    if (epoll_ctl(loop_.epoll.get(), EPOLL_CTL_ADD, fd(), &event) != 0) return false;
  }
  Enter(ticket_->peer());
  return true;
}

void LocalSession::Await(std::uint32_t events, bool on) {
  awaited_ = on ? awaited_ | events : awaited_ & ~events;
  epoll_event event{.events = awaited_, .data = {.fd = fd()}};
  epoll_ctl(loop_.epoll.get(), EPOLL_CTL_MOD, fd(), &event);
}

bool LocalSession::OnEvents(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) SendRest();
  const bool readable = (events & EPOLLIN) != 0;
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0 && !readable;
  const bool goes_on = !broken && (readable ? Read() : TakeRead());
  if (!goes_on || sent_) Cut();
  return !left_;
}

bool LocalSession::Read() {
  if (ending_) return true;
  switch (socket_.Receive()) {
    case Received::kNothing:
      return true;
    case Received::kSome:
      return TakeRead();
    case Received::kEnd:
      End(absl::OkStatus());  // the client has said everything, or is gone
      return true;
    case Received::kBroken:
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

absl::Status LocalSession::TooLong() const {
  return absl::ResourceExhaustedError(
      absl::StrCat("a request of a session has at most ", backend().options.max_message_bytes, " bytes"));
}

absl::Status LocalSession::TakeBytes(std::string_view bytes) {
  if (!request_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("what came is no poold.v1.SessionRequest");
  }
  return Take(&request_);
}

// Whether to take more from the client: not while much waits for it. Whoever sends then asks for another look.
bool LocalSession::GoesOn() {
  absl::MutexLock lock(&mu_);
  const bool pauses = paused_ ? !EnoughWasSent() : TooMuchWaits();
  if (pauses != std::exchange(paused_, pauses)) Await(EPOLLIN, !pauses);
  return !pauses;
}

void LocalSession::Flush() {
  if (turn_.TryBegin()) Drive();
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
  socket_.Put(ToProto(status_), /*last=*/true);
  return put_last_ = true;
}

// False: what goes on is the LocalThread's, when the socket can be written, or nothing.
bool LocalSession::Send() {
  const Sent sent = socket_.Send();
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
  if (paused_ && EnoughWasSent()) loop_.look_at(fd());
  return true;
}

// It waits for writing only while the turn is kept for it.
void LocalSession::SendRest() {
  {
    absl::MutexLock lock(&mu_);
    Await(EPOLLOUT, false);
  }
  if (Send()) Drive();
}

void LocalSession::End(const absl::Status& status) {
  if (std::exchange(ending_, true)) return;
  {
    absl::MutexLock lock(&mu_);
    Await(EPOLLIN, false);
  }
  status_ = status;
  ended_ = true;
  Flush();
}

void LocalSession::Cut() {
  if (std::exchange(left_, true)) return;
  ending_ = true;
  epoll_ctl(loop_.epoll.get(), EPOLL_CTL_DEL, fd(), nullptr);
  socket_.Shut();
  Leave();
}

}  // namespace poold::rpc
