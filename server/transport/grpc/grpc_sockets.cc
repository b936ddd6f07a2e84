#include "transport/grpc/grpc_sockets.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/quiet.h"
#include "core/errors.h"
#include "transport/grpc/grpc_refusals.h"
#include "transport/grpc/http2_guard.h"
#include "wire/absl_text.h"

namespace poold::transport {
namespace {

// The kernel's own bound of descriptors (fs.nr_open) unless somebody has raised it.
constexpr int kMaxDescriptors = 1 << 20;

// As it is given to gRPC, and as gRPC tells it.
constexpr std::string_view kName = "poold-";
constexpr std::string_view kToldName = "unix-abstract:poold-";

core::Nanos Now() { return base::SystemClock().Now(); }

// One for each peer, for as long as it has connections or owes something.
class Budgets {
 public:
  std::shared_ptr<TokenBucket> Of(const Peer& peer) {
    absl::MutexLock lock(&mu_);
    if (budgets_.size() >= next_sweep_) Sweep();
    std::shared_ptr<TokenBucket>& budget = budgets_[{peer.host, peer.uid, peer.pid}];
    if (budget == nullptr) budget = std::make_shared<TokenBucket>(Http2Guard::kBudget, Http2Guard::kBudgetPerSecond);
    return budget;
  }

 private:
  void Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const core::Nanos now = Now();
    std::erase_if(budgets_, [now](auto& one) { return one.second.use_count() == 1 && one.second->OwesFor(now) == 0; });
    next_sweep_ = std::max<std::size_t>(64, 2 * budgets_.size());
  }

  absl::Mutex mu_;
  std::map<std::tuple<std::string, uid_t, pid_t>, std::shared_ptr<TokenBucket>> budgets_ ABSL_GUARDED_BY(mu_);
  std::size_t next_sweep_ ABSL_GUARDED_BY(mu_) = 64;
};

// So much of each connection is not counted, two blocks: whoever sends small messages is in nobody's way.
constexpr std::uint64_t kUncounted = 2 * (HalfMessages::kBlockBytes + HalfMessages::kFrameBytes);
constexpr std::string_view kHalfSent = "others needed the memory of what was sent half-way, or where nobody reads";

std::uint64_t Counted(std::uint64_t bytes) { return bytes > kUncounted ? bytes : 0; }

// Calls `each` with what lies in the first `bytes` of the message, part by part, until it returns false.
template <typename Each>
void ForEachPart(const msghdr& message, ssize_t bytes, Each each) {
  auto left = static_cast<std::size_t>(bytes);
  for (std::size_t i = 0; i < message.msg_iovlen && left > 0; ++i) {
    const iovec& part = message.msg_iov[i];
    const std::string_view text(static_cast<const char*>(part.iov_base), std::min(part.iov_len, left));
    left -= text.size();
    if (!each(text)) return;
  }
}

// A socket that gRPC has. It reads it one read at a time, sends one thing at a time, and closes it after all that.
class GrpcSocket {
 public:
  GrpcSocket(int fd, Ticket ticket, std::shared_ptr<TokenBucket> budget, std::shared_ptr<HalfRead> half_read)
      : fd_(fd),
        ticket_(std::move(ticket)),
        budget_(std::move(budget)),
        guard_(budget_.get()),
        half_read_(std::move(half_read), ticket_->peer(), fd, [this](std::uint64_t held) { Cut(kHalfSent, held); }) {}
  ~GrpcSocket() { guard_.End(ticket_->calls(), Now()); }

  const Peer& peer() const { return ticket_->peer(); }

  // What gRPC is told to have read: nothing if the connection is cut. Then for gRPC the client has gone away.
  ssize_t Read(const msghdr& message, ssize_t bytes) {
    const core::Nanos now = Now();
    absl::MutexLock lock(&mu_);
    std::string_view fault;
    ForEachPart(message, bytes, [&](std::string_view part) {
      mu_.AssertHeld();
      fault = guard_.Take(part, ticket_->calls(), now);
      return fault.empty();
    });
    if (!fault.empty()) return Cut(fault, half_read_.held()), 0;
    half_read_.Came(static_cast<std::uint64_t>(bytes), now);
    return half_read_.Hold(Counted(guard_.half_read()), HalfRead::Need::kNow, now) ? bytes : 0;
  }
  void Sent(const msghdr& message, ssize_t bytes) {
    absl::MutexLock lock(&mu_);
    ForEachPart(message, bytes, [&](std::string_view part) {
      mu_.AssertHeld();
      guard_.TakeSent(part);
      return true;
    });
    if (guard_.half_read() < half_read_.held()) {
      half_read_.Hold(Counted(guard_.half_read()), HalfRead::Need::kNow, Now());
    }
  }

 private:
  void Cut(std::string_view fault, std::uint64_t half_read) const {
    base::Log(base::Level::kWarning, "connection_cut",
              {{"peer", peer().ToString()}, {"reason", fault}, {"half_read_bytes", half_read}});
    const std::string words = GrpcCutOff("poold has cut this connection: " + std::string(fault));
    send(fd_, words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd_, SHUT_RDWR);
  }

  const int fd_;
  const Ticket ticket_;
  const std::shared_ptr<TokenBucket> budget_;
  absl::Mutex mu_;
  Http2Guard guard_ ABSL_GUARDED_BY(mu_);
  HalfRead::Holder half_read_;  // goes before what its Cut needs
};

// By descriptor.
std::atomic<GrpcSocket*> sockets[kMaxDescriptors];

GrpcSocket* SocketOf(int fd) {
  if (fd < 0 || fd >= kMaxDescriptors) return nullptr;
  return sockets[fd].load(std::memory_order_acquire);
}

// The function that this file stands before: of the C library, or of a sanitizer.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The connection's number, as the name of a Unix socket.
void WriteName(const GrpcSocket& socket, sockaddr* into, socklen_t* size) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = absl::StrCat(wire::ToAbsl(kName), socket.peer().connection);
  memcpy(name.sun_path + 1, text.data(), text.size());
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  memcpy(into, &name, std::min(*size, bytes));
  *size = bytes;
}

absl::Status HasToWait(core::Nanos wait) {
  return core::MakeError(reason::kTooManyCancelledCalls,
                         "connections of this process, or of this address of TCP, were cut since too many of their "
                         "calls were cancelled before they began; connect again in a few seconds",
                         "connection", wait);
}

}  // namespace

absl::Status KnowGrpcSocket(int fd, Ticket* ticket, std::shared_ptr<HalfRead> half_read) {
  static Budgets* const budgets = new Budgets;
  if (fd >= kMaxDescriptors) return absl::ResourceExhaustedError("poold has too many open descriptors");
  std::shared_ptr<TokenBucket> budget = budgets->Of((*ticket)->peer());
  if (const core::Nanos wait = budget->OwesFor(Now()); wait > 0) return HasToWait(wait);
  auto* const socket = new GrpcSocket(fd, std::move(*ticket), std::move(budget), std::move(half_read));
  sockets[fd].store(socket, std::memory_order_release);
  return absl::OkStatus();
}

std::uint64_t ConnectionOf(std::string_view grpc_peer) {
  std::uint64_t number = 0;
  if (!grpc_peer.starts_with(kToldName)) return 0;
  return absl::SimpleAtoi(wire::ToAbsl(grpc_peer.substr(kToldName.size())), &number) ? number : 0;
}

}  // namespace poold::transport

extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const next = poold::transport::Next<ssize_t(int, msghdr*, int)>("recvmsg");
  const ssize_t bytes = next(fd, message, flags);
  if (bytes <= 0) return bytes;
  poold::transport::GrpcSocket* const socket = poold::transport::SocketOf(fd);
  return socket == nullptr ? bytes : socket->Read(*message, bytes);
}

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
#ifndef NDEBUG
  poold::base::MustNotBeQuiet("sendmsg");
#endif
  static auto* const next = poold::transport::Next<ssize_t(int, const msghdr*, int)>("sendmsg");
  const ssize_t bytes = next(fd, message, flags);
  if (bytes <= 0) return bytes;
  if (poold::transport::GrpcSocket* const socket = poold::transport::SocketOf(fd)) socket->Sent(*message, bytes);
  return bytes;
}

extern "C" int close(int fd) {
#ifndef NDEBUG
  poold::base::MustNotBeQuiet("close");
#endif
  if (poold::transport::SocketOf(fd) != nullptr) delete poold::transport::sockets[fd].exchange(nullptr);
  static auto* const next = poold::transport::Next<int(int)>("close");
  return next(fd);
}

extern "C" int getpeername(int fd, sockaddr* __restrict name, socklen_t* __restrict size) noexcept {
  if (const auto* const socket = poold::transport::SocketOf(fd)) {
    poold::transport::WriteName(*socket, name, size);
    return 0;
  }
  static auto* const next = poold::transport::Next<int(int, sockaddr*, socklen_t*)>("getpeername");
  return next(fd, name, size);
}
