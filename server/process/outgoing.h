// Bytes that wait to be written to a socket: small ones copied, large ones referred to. Of those that lie in a file
// only a piece at a time comes into memory.
//
// Not thread-safe. Write does not block.
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
  // Where small bytes may be appended to (frame heads, for instance), behind all that was added.
  std::string* tail();
  // Adds bytes that `owner` keeps; copies them if they are few.
  void Add(const core::Bytes& bytes);
  void AddView(const std::shared_ptr<const void>& owner, std::string_view bytes);
  // Descriptors that travel with the first byte of what is appended next.
  void AttachFds(std::vector<wire::UniqueFd> fds);

  bool empty() const { return segments_.empty(); }

  enum class Progress { kAllWritten, kWouldBlock };
  // Writes what the socket takes. An error: the peer is gone or out of its mind.
  absl::StatusOr<Progress> Write(int socket);

 private:
  struct Segment {
    std::string copied;
    core::Bytes shared;
    std::vector<wire::UniqueFd> fds;
    std::string_view view() const { return shared.empty() ? std::string_view(copied) : shared.view(); }
  };
  // How much; nothing: the socket takes nothing now.
  absl::StatusOr<std::optional<std::size_t>> WriteSome(int socket);
  absl::StatusOr<std::optional<std::size_t>> WritePiece(int socket, const core::Bytes& in_file);
  void DropWritten(std::size_t bytes);

  std::deque<Segment> segments_;
  std::size_t written_ = 0;  // of the first segment
  std::string piece_;
};

}  // namespace poold::process
