// Http2Guard: watches one HTTP/2 connection frame by frame, and the client's bytes before gRPC has them.
//
// gRPC 1.51 takes as many streams as come when each is cancelled at once (rapid reset) or when its settings are never
// acknowledged, and a header of any size in CONTINUATION frames. Role: bounds these, and counts what gRPC keeps of
// messages that have not wholly come (half_messages.h). It looks at the nine bytes in front of each frame, and at the
// five in front of each message, nothing else. What counts is how far a client is *ahead*: streams that it began and
// that never became calls, since it cancelled them before the server got to them, or broke them in another way. Calls
// that the server began may be cancelled freely. Non-role: reads and cuts nothing. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/types.h"
#include "transport/grpc/half_messages.h"
#include "transport/grpc/http2_frames.h"
#include "transport/grpc/token_bucket.h"

namespace poold::transport {

class Http2Guard {
 public:
  // What gRPC is told as GRPC_ARG_MAX_CONCURRENT_STREAMS: a client that heeds it is never ahead by more.
  static constexpr std::uint32_t kMaxStreams = 1000;
  // The most bytes of a call's header as it is sent, with all its CONTINUATION frames.
  static constexpr std::uint32_t kMaxHeaderBytes = 64 << 10;
  // Streams ahead of kMaxStreams, and frames that carry nothing: at once, and in each second, of all connections of a
  // peer.
  static constexpr std::int64_t kBudget = 2000;
  static constexpr std::int64_t kBudgetPerSecond = 500;
  // The tokens that a connection costs that has to be cut.
  static constexpr std::uint64_t kFine = 500;

  // The budget is its peer's, and must outlive it.
  explicit Http2Guard(TokenBucket* budget) : budget_(*budget) {}

  // Takes the next bytes of the client. `calls`: the number of this connection's calls that the server has begun. "":
  // all is well. Else the fault, after which nothing more must be taken from this client.
  std::string_view Take(std::string_view bytes, std::uint64_t calls, core::Nanos now);
  // Takes the next bytes that the server has sent.
  void TakeSent(std::string_view bytes);
  // The bytes that gRPC keeps of messages that have not wholly come.
  std::uint64_t half_read() const { return messages_.bytes(); }
  // Ends the watch: the budget pays for streams that are still ahead.
  void End(std::uint64_t calls, core::Nanos now);

 private:
  std::string_view TakeAll(std::string_view bytes);
  void TakePayload(std::string_view* bytes);
  void TakeSentFrame(const Http2FrameHead& frame);
  void TakeIncrement(std::string_view payload);
  std::string_view TakeFrame(const Http2FrameHead& frame);
  std::string_view Pay(std::uint64_t calls, core::Nanos now);
  std::string_view TakeHeaders(const Http2FrameHead& frame);
  std::string_view AddHeaderBytes(const Http2FrameHead& frame);
  bool IsIdle(const Http2FrameHead& frame);
  std::uint64_t Ahead(std::uint64_t calls) const;

  TokenBucket& budget_;
  Http2FrameHeads heads_;
  HalfMessages messages_;
  // The frame that is coming is one of DATA.
  bool in_data_ = false;
  // Bytes of the client before those that are looked at.
  std::uint64_t taken_ = 0;
  // The server's frames.
  Http2FrameHeads sent_heads_{0};
  Http2FrameHead sent_frame_;
  // Of the server's WINDOW_UPDATE under way: the bytes that are there, as a number.
  std::uint32_t increment_ = 0;
  // Bytes of that number that are to come.
  int increment_left_ = 0;
  // The client has acknowledged the server's settings. Without that it may begin kMaxStreams streams, and no more.
  bool acknowledged_ = false;
  // The highest stream id that the client has opened.
  std::uint32_t last_stream_ = 0;
  // Streams that the client has begun, streams that it has reset, and frames that carry nothing.
  std::uint64_t streams_ = 0;
  std::uint64_t resets_ = 0;
  std::uint64_t idle_frames_ = 0;
  // Tokens that were taken from the budget for this connection.
  std::uint64_t paid_ = 0;
  // Bytes of the header under way, with its CONTINUATION frames.
  std::uint64_t header_bytes_ = 0;
};

}  // namespace poold::transport
