#include "process/outgoing.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "base/payload_file.h"

namespace poold::process {
namespace {

// Below it, copying is cheaper than another segment.
constexpr std::size_t kCopyBytes = 16 * 1024;
constexpr std::size_t kSegmentsPerWrite = 64;
constexpr std::size_t kMaxFds = 8;
constexpr std::size_t kPieceBytes = 256 * 1024;

bool InFile(const core::Bytes& bytes) { return base::PayloadFile::Behind(bytes.owner()) != nullptr; }

// What a send wrote; nothing: it would have to wait.
template <typename Send>
absl::StatusOr<std::optional<std::size_t>> Sent(Send send) {
  ssize_t sent;
  do {
    sent = send();
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return std::optional<std::size_t>(static_cast<std::size_t>(sent));
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::optional<std::size_t>();
  return absl::UnavailableError(std::string("write to channel: ") + strerror(errno));
}

}  // namespace

std::string* Outgoing::tail() {
  if (segments_.empty() || !segments_.back().shared.empty()) segments_.emplace_back();
  return &segments_.back().copied;
}

void Outgoing::Add(const core::Bytes& bytes) {
  if (bytes.size() < kCopyBytes) {
    if (!bytes.empty()) tail()->append(bytes.view());
    return;
  }
  segments_.emplace_back().shared = bytes;
}

void Outgoing::AddView(const std::shared_ptr<const void>& owner, std::string_view bytes) {
  if (bytes.size() < kCopyBytes) {
    if (!bytes.empty()) tail()->append(bytes);
    return;
  }
  segments_.emplace_back().shared = core::Bytes(owner, bytes);
}

void Outgoing::AttachFds(std::vector<wire::UniqueFd> fds) { segments_.emplace_back().fds = std::move(fds); }

absl::StatusOr<Outgoing::Progress> Outgoing::Write(int socket) {
  while (!segments_.empty()) {
    const core::Bytes& first = segments_.front().shared;
    const auto written = InFile(first) ? WritePiece(socket, first) : WriteSome(socket);
    if (!written.ok()) return written.status();
    if (!*written) return Progress::kWouldBlock;
    segments_.front().fds.clear();
    DropWritten(**written);
  }
  std::string().swap(piece_);
  return Progress::kAllWritten;
}

absl::StatusOr<std::optional<std::size_t>> Outgoing::WriteSome(int socket) {
  iovec parts[kSegmentsPerWrite];
  std::size_t count = 0;
  msghdr message{};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  for (const Segment& segment : segments_) {
    // Descriptors belong to the first byte of a write.
    if (count == kSegmentsPerWrite || (count > 0 && !segment.fds.empty()) || InFile(segment.shared)) break;
    const std::string_view bytes = segment.view().substr(count == 0 ? written_ : 0);
    parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  if (const auto& fds = segments_.front().fds; !fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const int fd = fds[i].get();
      memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
    }
  }
  message.msg_iov = parts;
  message.msg_iovlen = count;
  return Sent([&] { return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

absl::StatusOr<std::optional<std::size_t>> Outgoing::WritePiece(int socket, const core::Bytes& in_file) {
  const std::string_view rest = in_file.view().substr(written_, kPieceBytes);
  const base::FilePart part = base::PartBehind(in_file.owner(), rest);
  piece_.resize(rest.size());
  if (absl::Status read = part.file->Read(part.offset, piece_.data(), piece_.size()); !read.ok()) {
    // The worker has half a frame: it must not wait for the rest.
    shutdown(socket, SHUT_RDWR);
    return read;
  }
  return Sent([&] { return send(socket, piece_.data(), piece_.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
}

void Outgoing::DropWritten(std::size_t bytes) {
  written_ += bytes;
  while (!segments_.empty() && written_ >= segments_.front().view().size()) {
    written_ -= segments_.front().view().size();
    segments_.pop_front();
  }
}

}  // namespace poold::process
