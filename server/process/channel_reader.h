// ChannelReader: the reading half of a worker's socket: bytes and descriptors in, frames and arenas out.
//
// Role: receives without blocking, cuts frames, keeps descriptors until their record is read. Non-role: acts on no
// frame and on no end of the channel; its owner asks. Threads: one at a time, those that may run its WorkerProcess.
// Does not own the socket. Trust: what is read comes from a hostile process. Bounds: one frame in the making, and as
// many descriptors as there can be results whose records were not read (kMaxFiles).
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
  // The most bytes that are read in one turn of a living worker, so that others get theirs.
  static constexpr std::size_t kBytesPerTurn = 1u << 20;

  // A frame with a longer payload is broken; only an OUTCOMES frame is taken then, without its payload.
  explicit ChannelReader(std::uint64_t max_payload_bytes) : parser_(max_payload_bytes) {}

  // Begins reading `socket`, which must outlive the reading.
  void Open(int socket) { socket_ = socket; }
  // Whether the socket is read. False: the channel ended, a frame was broken, or Open was not called.
  bool open() const { return socket_ >= 0; }

  enum class Got {
    // Bytes came, and more may be there.
    kMore,
    // All bytes that are there now were read.
    kLast,
    // The other end was closed, or the socket failed: the reader is not open any more.
    kEnd,
    // More descriptors came than an honest worker sends.
    kTooManyFiles,
  };
  // REQUIRES: open(). Receives once, and adds the number of bytes to `*total_bytes`.
  Got Receive(std::size_t* total_bytes);
  // The next whole frame, valid until the next call; none: more must be received. INVALID_ARGUMENT or DATA_LOSS: no
  // honest worker writes these bytes, and the reader is not open any more.
  absl::StatusOr<std::optional<wire::Frame>> NextFrame();

  // Takes the descriptor that came first, and receives if there is none yet. Nothing: none came. A descriptor that is
  // not open was lost on its way, because the daemon had none left.
  std::optional<wire::UniqueFd> TakeFile();
  // Whether a descriptor was lost since the last call.
  bool TakeLostFile() { return std::exchange(lost_file_, false); }

 private:
  int socket_ = -1;
  wire::FrameParser parser_;
  // Descriptors of RESULT_ARENA frames in the order of their coming, which no record has named yet.
  std::deque<wire::UniqueFd> files_;
  bool lost_file_ = false;
};

}  // namespace poold::process
