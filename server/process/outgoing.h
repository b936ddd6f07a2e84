// Bytes that wait to be written to a socket.
//
// Role: a queue of segments. Small ones are copied, large ones referred to; of those that lie in a file only a piece at
// a time comes into memory. Descriptors travel with bytes.
// Threads: one at a time. Ownership: keeps the owner of what it refers to until that is written; does not own the
// socket. Bounds: none of its own; who adds waits while there is something (WorkerChannel, ZygoteClient).
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
  // Where small bytes may be appended to (frame heads, for instance), behind all that was added. Valid until the next
  // call of anything.
  std::string* tail();
  // Adds bytes; copies them if they are few, else keeps their owner.
  void Add(const core::Bytes& bytes);
  // The same for bytes that `owner` keeps.
  void AddView(const std::shared_ptr<const void>& owner, std::string_view bytes);
  // Descriptors that travel with the first byte of what is appended next.
  void AttachFds(std::vector<wire::UniqueFd> fds);

  bool empty() const { return segments_.empty(); }

  enum class Progress { kAllWritten, kWouldBlock };
  // Writes what the socket takes, without blocking. UNAVAILABLE: the peer is gone. Another error: a payload file could
  // not be read; the socket was shut down, since the peer has half a frame.
  absl::StatusOr<Progress> Write(int socket);

 private:
  struct Segment {
    std::string copied;
    core::Bytes shared;
    std::vector<wire::UniqueFd> fds;
    std::string_view view() const { return shared.empty() ? std::string_view(copied) : shared.view(); }
  };
  // How many bytes were written; none: the socket takes nothing now.
  absl::StatusOr<std::optional<std::size_t>> WriteSome(int socket);
  absl::StatusOr<std::optional<std::size_t>> WritePiece(int socket, const core::Bytes& in_file);
  void DropWritten(std::size_t bytes);

  std::deque<Segment> segments_;
  std::size_t written_ = 0;  // of the first segment
  std::string piece_;        // of a file, on its way
};

}  // namespace poold::process
