#include "wire/message_socket.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace poold::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "heads are little-endian");

constexpr std::uint32_t kLast = 1u << 31;
constexpr std::size_t kHeadBytes = sizeof(std::uint32_t);
// What is read at once.
constexpr std::size_t kPieceBytes = 16 << 10;
// Memory that stays when nothing is in it. More stays while much passes through it.
constexpr std::size_t kKeptBytes = 64 << 10;
// As much as the kernel allows; it says no more than this by itself. TCP grows with what passes through it.
constexpr int kSocketBytes = 4 << 20;

std::uint32_t ReadHead(std::string_view bytes) {
  std::uint32_t head = 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  return head;
}

}  // namespace

std::size_t ByteQueue::CapacityFor(std::size_t bytes) const {
  const std::size_t there = end_ - begin_;
  if (room() >= bytes || (capacity_ >= there + bytes && begin_ >= there)) return capacity_;
  return std::max(there + bytes, 2 * there);
}

void ByteQueue::Drop() {
  memory_.reset();
  capacity_ = begin_ = end_ = 0;
}

char* ByteQueue::Room(std::size_t bytes) {
  if (room() >= bytes) return memory_.get() + end_;
  const std::size_t there = end_ - begin_;
  if (capacity_ >= there + bytes && begin_ >= there) {
    std::memcpy(memory_.get(), memory_.get() + begin_, there);
  } else {
    capacity_ = CapacityFor(bytes);
    std::unique_ptr<char[]> larger(new char[capacity_]);
    if (there > 0) std::memcpy(larger.get(), memory_.get() + begin_, there);
    memory_ = std::move(larger);
  }
  begin_ = 0;
  end_ = there;
  return memory_.get() + end_;
}

void ByteQueue::Used(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < end_) return;
  const bool was_little = end_ < capacity_ / 4;
  begin_ = end_ = 0;
  if (capacity_ > kKeptBytes && was_little) Drop();
}

MessageSocket::MessageSocket(UniqueFd socket, std::uint32_t max_message_bytes)
    : socket_(std::move(socket)), max_message_bytes_(std::min(max_message_bytes, kLast - 1)) {
  int family = 0;
  socklen_t bytes = sizeof family;
  if (getsockopt(fd(), SOL_SOCKET, SO_DOMAIN, &family, &bytes) != 0 || family != AF_UNIX) return;
  setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof kSocketBytes);
}

// What is to be received at once. REQUIRES: what was taken is used up.
std::size_t MessageSocket::Wanted() const {
  const std::string_view there = in_.bytes();
  if (there.size() < kHeadBytes) return kPieceBytes;
  const std::size_t whole = kHeadBytes + (ReadHead(there) & ~kLast);
  return std::max(kPieceBytes, whole - there.size());
}

std::size_t MessageSocket::in_memory_wanted() {
  in_.Used(std::exchange(taken_, 0));
  return in_.CapacityFor(Wanted());
}

void MessageSocket::DropIn() {
  taken_ = 0;
  in_.Drop();
}

MessageSocket::Received MessageSocket::Receive() {
  in_.Used(std::exchange(taken_, 0));
  char* const into = in_.Room(Wanted());
  ssize_t got = 0;
  do {
    got = recv(fd(), into, in_.room(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? Received::kNothing : Received::kBroken;
  if (got == 0) return Received::kEnd;
  in_.Added(got);
  return Received::kSome;
}

MessageSocket::Found MessageSocket::Next(Message* message) {
  in_.Used(std::exchange(taken_, 0));
  const std::string_view there = in_.bytes();
  if (there.size() < kHeadBytes) return Found::kNone;
  const std::uint32_t head = ReadHead(there);
  const std::uint32_t bytes = head & ~kLast;
  if (bytes > max_message_bytes_) return Found::kTooLong;
  if (there.size() - kHeadBytes < bytes) return Found::kNone;
  *message = {there.substr(kHeadBytes, bytes), (head & kLast) != 0};
  taken_ = kHeadBytes + bytes;
  return Found::kMessage;
}

std::string MessageSocket::HeadOf(std::size_t bytes, bool last) {
  const std::uint32_t head = static_cast<std::uint32_t>(bytes) | (last ? kLast : 0);
  return {reinterpret_cast<const char*>(&head), sizeof head};
}

char* MessageSocket::PutHead(std::size_t bytes, bool last) {
  const std::uint32_t head = static_cast<std::uint32_t>(bytes) | (last ? kLast : 0);
  char* const at = out_.Room(kHeadBytes + bytes);
  std::memcpy(at, &head, sizeof head);
  out_.Added(kHeadBytes);
  return at + kHeadBytes;
}

MessageSocket::Sent MessageSocket::Send() {
  while (!out_.empty()) {
    const std::string_view rest = out_.bytes();
    const ssize_t sent = send(fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Sent::kFull : Sent::kBroken;
    out_.Used(sent);
  }
  return Sent::kAll;
}

void MessageSocket::Shut() { shutdown(fd(), SHUT_RDWR); }

}  // namespace poold::wire
