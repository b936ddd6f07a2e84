#include "channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace poold::worker {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
// The daemon bounds what it sends; this is against a broken stream.
constexpr std::uint64_t kMaxBlobBytes = std::uint64_t{1} << 40;

}  // namespace

Channel::Channel(wire::UniqueFd socket) : socket_(std::move(socket)), parser_(kMaxBlobBytes) {}

void Channel::Adopt(wire::UniqueFd socket) {
  socket_ = std::move(socket);
  parser_.Clear();
  descriptors_.clear();
}

absl::StatusOr<Channel::Progress> Channel::ReadOnce(wire::Patience patience) {
  const std::size_t room = std::max(kReadBytes, parser_.Wanted());
  auto received = wire::Receive(socket_.get(), parser_.Reserve(room), room, &descriptors_, patience);
  if (!received.ok()) return received.status();
  if (received->end_of_file) return Progress::kEndOfFile;
  if (received->would_block) return Progress::kNothing;
  parser_.Commit(received->bytes);
  return Progress::kRead;
}

// Not in a read: whoever sleeps in one is woken also when the daemon has read what was sent before, for nothing, once
// for each bell.
absl::StatusOr<Channel::Progress> Channel::Wait() {
  while (true) {
    pollfd readable{socket_.get(), POLLIN, 0};
    poll(&readable, 1, -1);
    auto progress = ReadOnce(wire::Patience::kNoWait);
    if (!progress.ok() || *progress != Progress::kNothing) return progress;
  }
}

absl::StatusOr<std::optional<wire::Frame>> Channel::Receive() {
  while (true) {
    auto frame = Next();
    if (!frame.ok() || *frame) return frame;
    const auto progress = Wait();
    if (!progress.ok()) return progress.status();
    if (*progress == Progress::kEndOfFile) return std::nullopt;
  }
}

absl::Status Channel::Send(internal::FrameKind kind, const google::protobuf::MessageLite* message) {
  std::string bytes;
  wire::AppendFrame(kind, message, {}, &bytes);
  return SendFrame(bytes);
}

absl::Status Channel::SendFrame(std::string_view frame) { return wire::SendAll(socket_.get(), frame); }

absl::Status Channel::SendArena(int file) {
  std::string frame;
  wire::AppendFrame(internal::FRAME_KIND_RESULT_ARENA, nullptr, {}, &frame);
  return wire::SendAll(socket_.get(), frame, {file});
}

absl::Status Channel::NotifyDaemon() {
  if (bell_.empty()) wire::AppendFrame(internal::FRAME_KIND_BELL, nullptr, {}, &bell_);
  ssize_t sent;
  do {
    // A frame this small is taken whole or not at all.
    sent = send(socket_.get(), bell_.data(), bell_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK) return absl::OkStatus();
  return absl::UnavailableError("the channel is closed");
}

}  // namespace poold::worker
