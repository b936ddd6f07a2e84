#include "transport/local_stream.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "google/rpc/status.pb.h"
#include "session/cancellation.h"
#include "transport/daemon_socket.h"
#include "wire/fd_socket.h"

namespace poold::client::internal {
namespace {

using Received = wire::MessageSocket::Received;
using Found = wire::MessageSocket::Found;
using Sent = wire::MessageSocket::Sent;

timespec ToTimespec(std::chrono::nanoseconds wait) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((wait - seconds).count())};
}

}  // namespace

std::shared_ptr<LocalStream> LocalStream::Connect(const std::string& address) {
  wire::UniqueFd socket = ConnectToDaemon(address);
  wire::UniqueFd wake(socket ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1);
  if (!wake) return nullptr;
  return std::make_shared<LocalStream>(std::move(socket), std::move(wake));
}

LocalStream::LocalStream(wire::UniqueFd socket, wire::UniqueFd wake)
    : socket_(std::move(socket), kNoLimit), wake_(std::move(wake)) {}

void LocalStream::Start() {
  wants_ = Done::kStart;
  const wire::PayloadRequest ask{static_cast<std::uint32_t>(wire::PayloadAsk::kSession), 0, {}, 0};
  const std::string_view bytes(reinterpret_cast<const char*>(&ask), sizeof ask);
  if (!wire::SendAll(socket_.fd(), bytes, {}, wire::Patience::kNoWait).ok()) socket_.Shut();
}

std::optional<bool> LocalStream::Write(const v1::SessionRequest& request) {
  socket_.Put(request);
  const Sent sent = socket_.Send();
  if (sent != Sent::kFull) return sent == Sent::kAll;
  full_ = true;
  Wake();
  return std::nullopt;
}

void LocalStream::Wake() {
  const NotCancelled not_cancelled;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

SessionStream::Event LocalStream::Next(Clock::time_point until) {
  while (true) {
    if (const Event event = TakeWanted(); event.done != Done::kNothing) return event;
    if (!Poll(until)) return {};
    if (std::exchange(woken_, false)) {
      DrainWakes();
      return {Done::kWake, true};
    }
    if (!std::exchange(writable_, false)) continue;
    const Sent sent = socket_.Send();
    if (sent == Sent::kFull) continue;
    full_ = false;
    return {Done::kWrite, sent == Sent::kAll};
  }
}

SessionStream::Event LocalStream::TakeWanted() {
  switch (wants_) {
    case Done::kStart:
      return TakeAnswer();
    case Done::kRead:
      return TakeMessage();
    case Done::kFinish:
      wants_ = Done::kNothing;
      return {Done::kFinish, true};
    default:
      return {};
  }
}

SessionStream::Event LocalStream::TakeAnswer() {
  if (!std::exchange(readable_, false)) return {};
  char* const into = reinterpret_cast<char*>(&answer_);
  const auto got = wire::Receive(socket_.fd(), into + answer_bytes_, sizeof answer_ - answer_bytes_);
  if (got.ok() && got->would_block) return {};
  const bool goes_on = got.ok() && !got->end_of_file;
  if (goes_on && (answer_bytes_ += got->bytes) < sizeof answer_) return {};
  wants_ = Done::kNothing;
  const bool accepted = goes_on && answer_.status == static_cast<std::uint32_t>(wire::PayloadStatus::kTaken);
  if (!accepted) status = {grpc::StatusCode::UNAVAILABLE, "no sessions at the payload socket"};
  return {Done::kStart, accepted};
}

SessionStream::Event LocalStream::TakeMessage() {
  while (true) {
    wire::MessageSocket::Message message;
    const Found found = socket_.Next(&message);
    const int bytes = static_cast<int>(message.bytes.size());
    if (found == Found::kMessage && message.last) {
      google::rpc::Status told;
      if (!told.ParseFromArray(message.bytes.data(), bytes)) return End("unreadable words at its end");
      status = ToGrpc(told);
      wants_ = Done::kNothing;
      return {Done::kRead, false};
    }
    if (found == Found::kMessage) {
      if (!response.ParseFromArray(message.bytes.data(), bytes)) return End("an unreadable message");
      wants_ = Done::kNothing;
      return {Done::kRead, true};
    }
    if (found == Found::kTooLong) return End("a message that is too long");
    if (!std::exchange(readable_, false)) return {};
    const Received received = socket_.Receive();
    if (received == Received::kNothing) return {};
    if (received != Received::kSome) return End("the daemon closed it");
  }
}

SessionStream::Event LocalStream::End(std::string_view why) {
  status = {grpc::StatusCode::UNAVAILABLE, "the connection ended: " + std::string(why)};
  wants_ = Done::kNothing;
  return {Done::kRead, false};
}

bool LocalStream::Poll(Clock::time_point until) {
  const bool reads = wants_ == Done::kStart || wants_ == Done::kRead;
  const short events = static_cast<short>((reads ? POLLIN : 0) | (full_ ? POLLOUT : 0));
  pollfd fds[] = {{events == 0 ? -1 : socket_.fd(), events, 0}, {wake_.get(), POLLIN, 0}};
  timespec wait{};
  if (until != Clock::time_point::max()) {
    wait = ToTimespec(std::max<std::chrono::nanoseconds>(until - Clock::now(), std::chrono::nanoseconds(0)));
  }
  if (ppoll(fds, 2, until == Clock::time_point::max() ? nullptr : &wait, nullptr) <= 0) return false;
  constexpr short kOver = POLLHUP | POLLERR;
  readable_ = reads && (fds[0].revents & (POLLIN | kOver)) != 0;
  writable_ = full_ && (fds[0].revents & (POLLOUT | kOver)) != 0;
  woken_ = fds[1].revents != 0;
  return true;
}

void LocalStream::DrainWakes() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &wakes, sizeof wakes);
}

}  // namespace poold::client::internal
