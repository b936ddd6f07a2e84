#include "wire/fd_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace poold::wire {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(kMaxDescriptors * sizeof(int));

absl::Status Failed(const char* what, int error) {
  return absl::UnavailableError(absl::StrCat(what, " a channel: ", std::strerror(error)));
}

void TakeDescriptors(msghdr* message, std::vector<UniqueFd>* descriptors) {
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      descriptors->emplace_back(fd);
    }
  }
}

void PutDescriptors(absl::Span<const int> descriptors, char* control, msghdr* message) {
  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
  cmsghdr* const part = CMSG_FIRSTHDR(message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
  std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size() * sizeof(int));
}

}  // namespace

absl::StatusOr<Received> Receive(int socket, char* into, std::size_t bytes, std::vector<UniqueFd>* descriptors,
                                 Patience patience) {
  alignas(cmsghdr) char control[kControlBytes];
  iovec part{into, bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptors != nullptr) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  ssize_t got;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (patience == Patience::kNoWait ? MSG_DONTWAIT : 0));
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Received{0, false, true};
  if (got < 0 && errno == ECONNRESET) return Received{0, true, false};
  if (got < 0) return Failed("read from", errno);
  bool lost = false;
  if (descriptors != nullptr) {
    const std::size_t before = descriptors->size();
    TakeDescriptors(&message, descriptors);
    lost = (message.msg_flags & MSG_CTRUNC) != 0;
    if (lost && descriptors->size() - before >= kMaxDescriptors) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxDescriptors, " descriptors at once"));
    }
  }
  return Received{static_cast<std::size_t>(got), got == 0 && bytes > 0, false, lost};
}

absl::Status SendAll(int socket, std::string_view bytes, absl::Span<const int> descriptors, Patience patience) {
  if (descriptors.size() > kMaxDescriptors) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxDescriptors, " descriptors at once"));
  }
  alignas(cmsghdr) char control[kControlBytes] = {};
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) PutDescriptors(descriptors, control, &message);
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | (patience == Patience::kNoWait ? MSG_DONTWAIT : 0));
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      descriptors = {};
    } else if ((errno == EAGAIN || errno == EWOULDBLOCK) && patience == Patience::kWait) {
      pollfd writable{socket, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return Failed("write to", errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace poold::wire
