// HalfMessages: the memory that gRPC keeps for messages which a client has sent on one HTTP/2 connection in part, or
// which nobody reads.
//
// gRPC keeps what came of a message until it has the whole of it and somebody reads it, in the blocks that it read from
// the socket: one byte keeps a block. So blocks count: pieces of kBlockBytes of all that the client sends, in which
// lies a part of such a message. Role: follows the messages of each open stream (five bytes in front of each: a flag,
// the length) through its DATA frames, however they are cut. The first whole message of a stream is read at once. Later
// ones, which a call may never want, are read when the server has opened the stream's window for as much as has come.
// A stream is over, and nothing of it counts, when the client has sent RST_STREAM, or END_STREAM behind messages that
// are all read, or the server has sent either: from then on gRPC passes over what comes, and has let go of the rest.
// Bounded: by the streams that may be open, which is gRPC's and Http2Guard's to bound. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "transport/grpc/http2_frames.h"

namespace poold::transport {

class HalfMessages {
 public:
  // The size of the blocks that gRPC reads into: kBigAlloc of its tcp_posix.cc.
  static constexpr std::uint64_t kBlockBytes = 64 << 10;
  // The bytes that gRPC keeps for each frame beside the payload: an entry of a table that doubles as it grows.
  static constexpr std::uint64_t kFrameBytes = 64;

  // A stream was opened by the client.
  void Begin(std::uint32_t stream);
  // Tells that the client sends nothing more on the stream.
  void EndInput(std::uint32_t stream);
  // Tells that gRPC keeps nothing of the stream any more.
  void End(std::uint32_t stream);
  // Takes the head of the client's next DATA frame.
  void TakeHead(const Http2FrameHead& frame);
  // Takes the next bytes of that frame's payload. `at`: their place in all bytes of the client.
  void TakePayload(std::string_view bytes, std::uint64_t at);
  // Tells that the server lets the client send so many bytes more on a stream.
  void OpenWindow(std::uint32_t stream, std::uint32_t bytes);

  // The memory that gRPC keeps now, by this count.
  std::uint64_t bytes() const { return blocks_.size() * kBlockBytes + frames_ * kFrameBytes; }

 private:
  // The length of the head of each message: a flag, and the length in four bytes.
  static constexpr std::size_t kHeadBytes = 5;

  // The blocks and the number of frames that are kept for messages.
  struct Kept {
    std::vector<std::uint64_t> blocks;
    std::uint64_t frames = 0;
  };
  struct Stream {
    // The message that has not wholly come.
    // Bytes of the message's head that have come, and those bytes.
    std::size_t head_have = 0;
    char head[kHeadBytes] = {};
    // Bytes of the message that are to come; valid once its head is there.
    std::uint64_t left = 0;
    // Bytes of the message that have come.
    std::int64_t have = 0;
    // What is kept for that message.
    Kept half;
    // The whole messages before it, except the first.
    Kept unread;
    // The first message of the stream has wholly come: gRPC reads it at once.
    bool has_first = false;
    // The bytes that have come, less those for which the server has opened the window since the beginning.
    std::int64_t ahead = 0;
  };

  void Follow(Stream* stream, std::string_view data, std::uint64_t at);
  static std::size_t TakeSome(Stream* stream, std::string_view data);
  void TakeWhole(Stream* stream, std::uint64_t from, std::uint64_t to);
  void Keep(Kept* kept, std::uint64_t from, std::uint64_t to);
  void KeepBlock(Kept* kept, std::uint64_t block);
  void LetGo(Kept* kept);

  // By stream id; those that are not over.
  absl::flat_hash_map<std::uint32_t, Stream> streams_;
  // The number of messages that keep each block.
  absl::flat_hash_map<std::uint64_t, std::uint32_t> blocks_;
  // Frames that are kept, of all streams.
  std::uint64_t frames_ = 0;

  // The DATA frame that is coming: what is left of it.
  Http2FrameHead frame_;
  // Bytes of its data and of its padding that are to come. The length of the padding is the first byte, where there is
  // one.
  std::uint32_t data_left_ = 0;
  std::uint32_t padding_left_ = 0;
  bool padding_is_known_ = true;
};

}  // namespace poold::transport
