// Frames of HTTP/2 (RFC 9113), as far as the nine bytes in front of each tell.
//
// Threads: pure functions; Http2FrameHeads is used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace poold::transport {

// The types of frames that matter here; all others are passed over.
enum Http2FrameType : std::uint8_t {
  kHttp2Data = 0,
  kHttp2Headers = 1,
  kHttp2Priority = 2,
  kHttp2ResetStream = 3,
  kHttp2Settings = 4,
  kHttp2PushPromise = 5,
  kHttp2GoAway = 7,
  kHttp2WindowUpdate = 8,
  kHttp2Continuation = 9,
};
// Flags: of DATA and HEADERS; of SETTINGS and PING; of HEADERS and CONTINUATION; of DATA and HEADERS.
inline constexpr std::uint8_t kHttp2EndStream = 1;
inline constexpr std::uint8_t kHttp2Acknowledges = 1;
inline constexpr std::uint8_t kHttp2EndHeaders = 4;
inline constexpr std::uint8_t kHttp2Padded = 8;

// The nine bytes in front of a frame.
struct Http2FrameHead {
  // Bytes of a head.
  static constexpr std::size_t kBytes = 9;

  // The length of the payload that follows.
  std::uint32_t bytes = 0;
  // An Http2FrameType, or any other value.
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  // 0: the frame is about the whole connection.
  std::uint32_t stream = 0;
};

// Finds the heads in the bytes of one end, however these are cut. Not thread-safe.
class Http2FrameHeads {
 public:
  // The length of the preface that a client sends first.
  static constexpr std::uint32_t kPrefaceBytes = 24;

  // `skip`: the bytes before the first head, where these are no client's preface.
  explicit Http2FrameHeads(std::uint32_t skip) : skip_(skip) {}
  Http2FrameHeads() = default;

  // Finds the next head, and takes bytes from the front of `bytes`. False, with no bytes left: the head is not whole
  // yet.
  bool Next(std::string_view* bytes, Http2FrameHead* head);
  // Takes the bytes in front of the next head, which are payload of the last one, from the front of `bytes`.
  std::string_view Payload(std::string_view* bytes);

 private:
  // The head under way, of which `have_` bytes are there.
  char head_[Http2FrameHead::kBytes];
  std::size_t have_ = 0;
  // Bytes to pass over before the next head: the preface, then the payload of each frame.
  std::uint32_t skip_ = kPrefaceBytes;
};

// A whole frame, as it is sent.
std::string Http2Frame(Http2FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
// A number as bytes, and back, the most significant byte first.
std::string BigEndian(std::uint32_t value, int bytes);
std::uint32_t FromBigEndian(const char* at, int bytes);

}  // namespace poold::transport
