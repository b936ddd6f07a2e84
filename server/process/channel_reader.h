// The reading half of a worker's socket: bytes and descriptors in, frames and arenas out.
//
// Role: receives without blocking, cuts frames, keeps descriptors until their record is read. Non-role: does nothing
// about what it reads or about an end; its owner asks.
// Threads: one at a time, those that may run its WorkerProcess. Does not own the socket.
// Trust: what is read comes from a hostile process. Bounds: one frame in the making, and as many descriptors as there
// can be results whose records were not read (kMaxFiles).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "wire/frame.h"
#include "wire/unique_fd.h"

namespace poold::process {

class ChannelReader {
 public:
  // At most so many bytes are read in one turn of a living worker, so that others get theirs.
  static constexpr std::size_t kBytesPerTurn = 1u << 20;

  // A frame with a longer payload is broken; but OUTCOMES come without the payload then.
  explicit ChannelReader(std::uint64_t max_payload_bytes) : parser_(max_payload_bytes) {}

  // From here on `socket` is read. It must outlive the reading.
  void Open(int socket) { socket_ = socket; }
  // Nothing more is read: the channel ended, a frame was broken, or it was never open.
  bool open() const { return socket_ >= 0; }

  enum class Got {
    kMore,          // something, and there may be more
    kLast,          // all that there is now, or nothing
    kEnd,           // the other end was closed, or the socket failed: the reader is not open any more
    kTooManyFiles,  // more descriptors than an honest worker sends
  };
  // REQUIRES: open(). Receives once, and adds the number of bytes to `*total_bytes`.
  Got Receive(std::size_t* total_bytes);
  // The next whole frame, valid until the next call of anything; none: more must be received. INVALID_ARGUMENT or
  // DATA_LOSS: no honest worker writes that, and the reader is not open any more.
  absl::StatusOr<std::optional<wire::Frame>> NextFrame();

  // The descriptor that came first, received now if need be. None: there is none. One that is not open was lost on its
  // way because the daemon had no descriptor left.
  std::optional<wire::UniqueFd> TakeFile();
  // A descriptor was lost since the last call.
  bool TakeLostFile() { return std::exchange(lost_file_, false); }

 private:
  int socket_ = -1;
  wire::FrameParser parser_;
  // Came with RESULT_ARENA frames, in their order; no record spoke of them yet.
  std::deque<wire::UniqueFd> files_;
  bool lost_file_ = false;
};

}  // namespace poold::process
