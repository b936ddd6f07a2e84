// Outgoing: bytes that wait to be written to a socket.
//
// Role: a queue of segments. Small segments are copied, large ones referred to; a segment that lies in a file comes
// into memory piece
//   by piece. Descriptors travel with bytes.
// Threads: one at a time.
// Ownership: keeps the owners of bytes until these are written; does not own the socket.
// Bounds: none of its own. Users add nothing while something waits (WorkerChannel, ZygoteClient).
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/types.h"
#include "wire/unique_fd.h"

namespace poold::process {

class Outgoing {
 public:
  // The string at the end of the queue, to which small bytes (a frame's head) may be appended. Valid until the next
  // call.
  std::string* tail();
  // Adds bytes: copies few, keeps the owner of many.
  void Add(const core::Bytes& bytes);
  // As Add, for bytes whose memory `owner` keeps.
  void AddView(const std::shared_ptr<const void>& owner, std::string_view bytes);
  // Adds descriptors, which travel with the first byte that is appended next.
  void AttachFds(std::vector<wire::UniqueFd> fds);

  bool empty() const { return segments_.empty(); }

  enum class Progress { kAllWritten, kWouldBlock };
  // Writes as much as the socket takes, without blocking. UNAVAILABLE: the peer is gone. Another error: a payload file
  // could not be read, and the socket was shut down, since the peer has half a frame.
  absl::StatusOr<Progress> Write(int socket);

 private:
  // Bytes that go out together: `copied`, or `shared` if that is not empty. `fds` travel with their first byte.
  struct Segment {
    std::string copied;
    core::Bytes shared;
    std::vector<wire::UniqueFd> fds;
    std::string_view view() const { return shared.empty() ? std::string_view(copied) : shared.view(); }
  };
  // The number of bytes that were written; none: the socket takes nothing now.
  absl::StatusOr<std::optional<std::size_t>> WriteSome(int socket);
  absl::StatusOr<std::optional<std::size_t>> WritePiece(int socket, const core::Bytes& in_file);
  void DropWritten(std::size_t bytes);

  std::deque<Segment> segments_;
  // Bytes of the first segment that were written.
  std::size_t written_ = 0;
  // The piece of a file that is being written.
  std::string piece_;
};

}  // namespace poold::process
