// Frames of HTTP/2 (RFC 9113), as far as they can be told by the nine bytes in front of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace poold::transport {

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
inline constexpr std::uint8_t kHttp2EndStream = 1;
inline constexpr std::uint8_t kHttp2Acknowledges = 1;
inline constexpr std::uint8_t kHttp2EndHeaders = 4;
inline constexpr std::uint8_t kHttp2Padded = 8;

struct Http2FrameHead {
  static constexpr std::size_t kBytes = 9;

  std::uint32_t bytes = 0;  // that follow
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
};

// Finds the heads in what one end sends, however its bytes are cut. Not thread-safe.
class Http2FrameHeads {
 public:
  // What a client sends first.
  static constexpr std::uint32_t kPrefaceBytes = 24;

  // `skip`: what comes before the first head, where that is no client's preface.
  explicit Http2FrameHeads(std::uint32_t skip) : skip_(skip) {}
  Http2FrameHeads() = default;

  // Takes bytes from the front of `bytes`. False, when none is left: the next head is not whole yet.
  bool Next(std::string_view* bytes, Http2FrameHead* head);
  // What there is in front of `bytes` of what comes before the next head: the payload of the last one. It is taken.
  std::string_view Payload(std::string_view* bytes);

 private:
  char head_[Http2FrameHead::kBytes];
  std::size_t have_ = 0;
  std::uint32_t skip_ = kPrefaceBytes;
};

std::string Http2Frame(Http2FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
// Most significant byte first.
std::string BigEndian(std::uint32_t value, int bytes);
std::uint32_t FromBigEndian(const char* at, int bytes);

}  // namespace poold::transport
