#include "transport/local_calls.h"

#include <errno.h>
#include <google/protobuf/io/coded_stream.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "poold/v1/call.pb.h"
#include "poold/v1/pool_service.pb.h"
#include "transport/daemon_socket.h"
#include "wire/fd_socket.h"
#include "wire/payload_message.h"

namespace poold::client::internal {
namespace {

using Received = wire::MessageSocket::Received;
using Found = wire::MessageSocket::Found;
using Sent = wire::MessageSocket::Sent;

constexpr std::size_t kMostIdle = 4;
// A daemon that does not take a connection in this time is busy with something else: gRPC waits better.
constexpr auto kTakePatience = std::chrono::seconds(10);
// After the daemon did not take one.
constexpr auto kNotTakenPause = std::chrono::seconds(1);

// Of UploadRequest.fragment on the wire: the number of the field and its kind, and how long a length may be.
constexpr std::uint8_t kFragmentTag = v1::UploadRequest::kFragmentFieldNumber << 3 | 2;
constexpr std::size_t kMostLengthBytes = 10;

// The other end has neither closed it nor said anything.
bool IsQuiet(int socket) {
  char byte = 0;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

// The daemon's answer to what the connection is to carry. Nothing: none came.
std::optional<wire::PayloadStatus> AskForCalls(int socket, Deadline deadline) {
  const wire::PayloadRequest ask{static_cast<std::uint32_t>(wire::PayloadAsk::kCalls), 0, {}, 0};
  const std::string_view bytes(reinterpret_cast<const char*>(&ask), sizeof ask);
  if (!wire::SendAll(socket, bytes, {}, wire::Patience::kNoWait).ok()) return std::nullopt;
  wire::PayloadAnswer answer{};
  char* const into = reinterpret_cast<char*>(&answer);
  for (std::size_t have = 0; have < sizeof answer;) {
    if (!AwaitSocket(socket, POLLIN, deadline)) return std::nullopt;
    const auto got = wire::Receive(socket, into + have, sizeof answer - have);
    if (!got.ok() || got->end_of_file) return std::nullopt;
    have += got->bytes;
  }
  return static_cast<wire::PayloadStatus>(answer.status);
}

v1::CallHead HeadOf(std::string_view method, const std::string& worker, Deadline deadline) {
  v1::CallHead head;
  head.set_method(method.data(), method.size());
  head.set_worker(worker);
  if (deadline.never()) return head;
  const auto left = std::chrono::nanoseconds(deadline.left()).count();
  head.mutable_timeout()->set_seconds(left / 1'000'000'000);
  head.mutable_timeout()->set_nanos(static_cast<std::int32_t>(left % 1'000'000'000));
  return head;
}

grpc::Status TooLate() { return {grpc::StatusCode::DEADLINE_EXCEEDED, "the daemon has not answered in time"}; }

grpc::Status Ended(const std::string& why) { return {grpc::StatusCode::UNAVAILABLE, "the connection ended: " + why}; }

}  // namespace

LocalCall::~LocalCall() {
  if (told_ && socket_ != nullptr) calls_.Keep(std::move(socket_));
}

bool LocalCall::Fail(grpc::Status status) {
  status_ = std::move(status);
  socket_ = nullptr;
  return false;
}

bool LocalCall::Await(short events) { return AwaitSocket(socket_->fd(), events, deadline_) || Fail(TooLate()); }

// What the daemon refuses before it has read all of it, it says before it closes.
bool LocalCall::Write(const google::protobuf::MessageLite& message, bool last) {
  if (told_ || socket_ == nullptr) return false;
  socket_->Put(message, last);
  return SendPacked();
}

bool LocalCall::SendPacked() {
  while (true) {
    const Sent sent = socket_->Send();
    if (sent != Sent::kFull) return sent == Sent::kAll;
    if (!Await(POLLOUT)) return false;
  }
}

bool LocalCall::WriteFragment(std::string_view fragment, bool last) {
  if (told_ || socket_ == nullptr || !SendPacked()) return false;
  std::uint8_t field[1 + kMostLengthBytes] = {kFragmentTag};
  const std::uint8_t* const end =
      google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(fragment.size(), field + 1);
  const std::string_view before(reinterpret_cast<const char*>(field), end - field);
  std::string head = wire::MessageSocket::HeadOf(before.size() + fragment.size(), last);
  head.append(before);
  return SendSome(head, MSG_MORE) && SendSome(fragment, 0);
}

bool LocalCall::SendSome(std::string_view bytes, int flags) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_->fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL | flags);
    if (sent >= 0) {
      bytes.remove_prefix(sent);
    } else if (errno == EAGAIN) {
      if (!Await(POLLOUT)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool LocalCall::Read(google::protobuf::MessageLite* message) {
  while (!told_ && socket_ != nullptr) {
    wire::MessageSocket::Message came;
    const Found found = socket_->Next(&came);
    const int bytes = static_cast<int>(came.bytes.size());
    if (found == Found::kMessage && !came.last) {
      return message == nullptr || message->ParseFromArray(came.bytes.data(), bytes) ||
             Fail(Ended("an unreadable message"));
    }
    if (found == Found::kMessage) {
      google::rpc::Status status;
      if (!status.ParseFromArray(came.bytes.data(), bytes)) {
        return Fail(Ended("unreadable words at its end"));
      }
      told_ = true;
      status_ = ToGrpc(status);
      // The daemon has given up as this end does.
      if (status_.error_code() == grpc::StatusCode::CANCELLED && deadline_.passed()) status_ = TooLate();
      return false;
    }
    if (!Await(POLLIN)) return false;
    const Received received = socket_->Receive();
    if (received == Received::kEnd || received == Received::kBroken) {
      return Fail(Ended("the daemon closed it"));
    }
  }
  return false;
}

grpc::Status LocalCall::Finish() {
  while (Read(nullptr)) continue;
  return status_;
}

std::unique_ptr<LocalCall> LocalCalls::Begin(std::string_view method, const std::string& worker, Deadline deadline) {
  std::unique_ptr<wire::MessageSocket> socket = TakeIdle();
  if (socket == nullptr) socket = Connect(deadline);
  if (socket == nullptr) return nullptr;
  socket->Put(HeadOf(method, worker, deadline));  // leaves with the request
  return std::make_unique<LocalCall>(this, std::move(socket), deadline);
}

void LocalCalls::TryAgain() {
  absl::MutexLock lock(&mu_);
  again_at_ = {};
}

std::unique_ptr<wire::MessageSocket> LocalCalls::TakeIdle() {
  std::vector<std::unique_ptr<wire::MessageSocket>> ended;  // closed without the mutex
  absl::MutexLock lock(&mu_);
  while (!idle_.empty()) {
    std::unique_ptr<wire::MessageSocket> socket = std::move(idle_.back());
    idle_.pop_back();
    if (IsQuiet(socket->fd())) return socket;
    ended.push_back(std::move(socket));
  }
  return nullptr;
}

void LocalCalls::Keep(std::unique_ptr<wire::MessageSocket> socket) {
  absl::MutexLock lock(&mu_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(socket));
}

std::unique_ptr<wire::MessageSocket> LocalCalls::Connect(Deadline deadline) {
  {
    absl::MutexLock lock(&mu_);
    if (Deadline::Clock::now() < again_at_) return nullptr;
  }
  wire::UniqueFd socket = ConnectToDaemon(address_);
  if (!socket) return nullptr;
  const Deadline patience = Deadline::At(std::min(deadline.at(), Deadline(kTakePatience).at()));
  const std::optional<wire::PayloadStatus> answer = AskForCalls(socket.get(), patience);
  if (answer == wire::PayloadStatus::kTaken) return std::make_unique<wire::MessageSocket>(std::move(socket), kNoLimit);
  absl::MutexLock lock(&mu_);
  // An older one does not know what it was asked.
  const bool never = answer == wire::PayloadStatus::kBad;
  again_at_ = never ? Deadline::Clock::time_point::max() : Deadline::Clock::now() + kNotTakenPause;
  return nullptr;
}

}  // namespace poold::client::internal
