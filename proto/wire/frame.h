// Frames: bytes <-> messages. The format is described in poold/internal/worker.proto. No I/O here.
//
// Errors: what no honest peer writes is INVALID_ARGUMENT; the peer is then cut off.
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
inline constexpr std::uint32_t kMaxFrameMessageBytes = 64u << 20;
inline constexpr std::uint32_t kProtocolVersion = 1;

// Appends a whole frame to `out`. `message` may be null for kinds without one.
void AppendFrame(internal::FrameKind kind, const google::protobuf::MessageLite* message, std::string_view blob,
                 std::string* out);

// Appends only the header and message of a frame whose blob of `blob_bytes` the caller writes behind it itself.
void AppendFrameHead(internal::FrameKind kind, const google::protobuf::MessageLite* message, std::uint64_t blob_bytes,
                     std::string* out);

// One frame as it lies in the parser's buffer: the views are valid until the parser is used again.
struct Frame {
  internal::FrameKind kind = internal::FRAME_KIND_UNSPECIFIED;
  std::string_view message;
  std::string_view blob;
  // The blob was too long: it is passed over as it comes, and `blob` is empty.
  bool without_blob = false;
};

// Cuts a stream of bytes into frames. Not thread-safe.
//   parser.Append(bytes read);  while (auto frame = parser.Next(); frame.ok() && *frame) ...
class FrameParser {
 public:
  // A frame with a longer blob is an error; except OUTCOMES, which come without their blob.
  explicit FrameParser(std::uint64_t max_blob_bytes) : max_blob_bytes_(max_blob_bytes) {}

  // Room for at least `bytes`, to read into; then call Commit with how many were read.
  char* Reserve(std::size_t bytes);
  void Commit(std::size_t bytes);

  // The next whole frame, nothing if it is not complete yet, or why the stream is broken.
  absl::StatusOr<std::optional<Frame>> Next();

  // Forgets what was not cut yet, as before the first byte of another stream. Keeps the room.
  void Clear() { begin_ = end_ = 0; }

  // How many more bytes the frame under way needs at least; a hint for Reserve.
  std::size_t Wanted() const;

 private:
  // Of this size, keeping what was not cut yet. What is not read into is never touched: a page that a short-lived
  // worker does not touch costs it nothing.
  void Resize(std::size_t bytes);

  // Drops what is there of a blob that is passed over. False: there is more of it to come.
  bool PassOver();

  std::uint64_t max_blob_bytes_;
  std::uint64_t pass_over_bytes_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace poold::wire
