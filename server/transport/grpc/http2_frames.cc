#include "transport/grpc/http2_frames.h"

#include <algorithm>
#include <cstring>

namespace poold::transport {

bool Http2FrameHeads::Next(std::string_view* bytes, Http2FrameHead* head) {
  Payload(bytes);
  const std::size_t taken = std::min(sizeof head_ - have_, bytes->size());
  std::memcpy(head_ + have_, bytes->data(), taken);
  have_ += taken;
  bytes->remove_prefix(taken);
  if (have_ < sizeof head_) return false;
  have_ = 0;
  *head = {FromBigEndian(head_, 3), static_cast<std::uint8_t>(head_[3]), static_cast<std::uint8_t>(head_[4]),
           FromBigEndian(head_ + 5, 4) & 0x7fffffff};
  skip_ = head->bytes;
  return true;
}

std::string_view Http2FrameHeads::Payload(std::string_view* bytes) {
  const std::string_view payload = bytes->substr(0, skip_);
  skip_ -= static_cast<std::uint32_t>(payload.size());
  bytes->remove_prefix(payload.size());
  return payload;
}

std::uint32_t FromBigEndian(const char* at, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint8_t>(at[i]);
  return value;
}

std::string BigEndian(std::uint32_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  return out;
}

std::string Http2Frame(Http2FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string out = BigEndian(static_cast<std::uint32_t>(payload.size()), 3);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  out += BigEndian(stream, 4);
  return out.append(payload);
}

}  // namespace poold::transport
