// Frames: messages in a stream of bytes, between daemon and workers. poold/internal/worker.proto describes the format.
// No I/O.
//
// Errors: INVALID_ARGUMENT: the bytes are nothing that an honest peer writes; the caller then cuts the peer off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"
#include "poold/internal/worker.pb.h"

namespace poold::wire {

inline constexpr std::size_t kFrameHeaderBytes = 16;
// The most bytes of a message, without its blob.
inline constexpr std::uint32_t kMaxFrameMessageBytes = 64u << 20;
inline constexpr std::uint32_t kProtocolVersion = 1;

// Appends a whole frame to `out`. `message` is null for kinds without one.
void AppendFrame(internal::FrameKind kind, const google::protobuf::MessageLite* message, std::string_view blob,
                 std::string* out);

// Appends the header and the message of a frame; the caller writes the blob of `blob_bytes` bytes behind them.
void AppendFrameHead(internal::FrameKind kind, const google::protobuf::MessageLite* message, std::uint64_t blob_bytes,
                     std::string* out);

// A frame in the parser's buffer. The views are valid until the parser is used again.
struct Frame {
  internal::FrameKind kind = internal::FRAME_KIND_UNSPECIFIED;
  std::string_view message;
  std::string_view blob;
  // The blob was longer than allowed: the parser skips the blob as it arrives, and `blob` is empty.
  bool without_blob = false;
};

// Cuts a stream of bytes into frames. Not thread-safe.
// Example:
//   char* const room = parser.Reserve(kBytes);
//   parser.Commit(Read(room, kBytes));
//   while (true) {
//     auto frame = parser.Next();
//     if (!frame.ok() || !*frame) break;
//   }
class FrameParser {
 public:
  // A longer blob is an error, except in OUTCOMES, which come without their blob then.
  explicit FrameParser(std::uint64_t max_blob_bytes) : max_blob_bytes_(max_blob_bytes) {}

  // Returns room for at least `bytes` bytes to read into. Ends the validity of earlier frames.
  char* Reserve(std::size_t bytes);
  // So many bytes were read into the room.
  void Commit(std::size_t bytes);

  // Returns the next whole frame. Nothing: the frame is not complete. INVALID_ARGUMENT: the stream is broken.
  absl::StatusOr<std::optional<Frame>> Next();

  // Forgets all bytes, for the first byte of another stream. Keeps the memory.
  void Clear() { begin_ = end_ = 0; }

  // The bytes that the present frame still needs at least; a hint for Reserve.
  std::size_t Wanted() const;

 private:
  // Changes the size of the buffer and keeps its bytes. Does not touch new memory: a page that a short-lived worker
  // does not touch costs nothing.
  void Resize(std::size_t bytes);

  // Skips the present bytes of a blob that is too long. False: more of the blob is to come.
  bool PassOver();

  std::uint64_t max_blob_bytes_;
  std::uint64_t pass_over_bytes_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace poold::wire
