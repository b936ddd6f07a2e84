// Texts and bytes in MessagePack, written to their destination and read in place, so that a large one is copied once or
// not at all.
//
// Safety: other processes may change the bytes that are read. Each byte of a head is read once, and its meaning is
// bounded by the bytes that there are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "poold/codec/scalars.h"

namespace poold::codec {

// The bytes that MessagePack puts in front of a text or bytes. A plain value.
class TextHead {
 public:
  // The head of a text of so many bytes. REQUIRES, of both: fewer than 4 GiB.
  static TextHead OfText(std::uint64_t bytes) {
    if (bytes < 32) return TextHead(static_cast<std::uint8_t>(0xa0 | bytes));
    return TextHead(0xd9, bytes);
  }
  // The head of so many raw bytes.
  static TextHead OfBytes(std::uint64_t bytes) { return TextHead(0xc4, bytes); }

  // 1 to 5 bytes. Valid as long as this object.
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  explicit TextHead(std::uint8_t only) : bytes_{static_cast<char>(only)}, size_(1) {}
  // `type` has one byte of length behind it, the next type two, the one after it four.
  TextHead(std::uint8_t type, std::uint64_t bytes) {
    const int log = bytes > UINT16_MAX ? 2 : bytes > UINT8_MAX ? 1 : 0;
    const int width = 1 << log;
    const std::uint64_t number = ToBigEndian(bytes << (64 - 8 * width));
    bytes_[0] = static_cast<char>(type + log);
    std::memcpy(bytes_.data() + 1, &number, static_cast<std::size_t>(width));
    size_ = static_cast<std::size_t>(1 + width);
  }

  // The type byte, and up to four bytes of length.
  std::array<char, 5> bytes_{};
  std::size_t size_ = 0;
};

// The text or bytes that `bytes` consist of, in place. Nothing: `bytes` are something else, or cut off.
inline std::optional<std::string_view> ReadOnlyText(std::string_view bytes) {
  std::array<char, 5> head{};
  const std::size_t known = bytes.size() < head.size() ? bytes.size() : head.size();
  const volatile char* const from = bytes.data();
  for (std::size_t i = 0; i < known; ++i) head[i] = from[i];
  if (known == 0) return std::nullopt;
  const auto type = static_cast<std::uint8_t>(head[0]);
  std::uint64_t size = 0;
  std::size_t head_bytes = 1;
  if (type >= 0xa0 && type <= 0xbf) {
    size = type & 0x1f;
  } else if ((type >= 0xd9 && type <= 0xdb) || (type >= 0xc4 && type <= 0xc6)) {
    const int width = 1 << (type >= 0xd9 ? type - 0xd9 : type - 0xc4);
    head_bytes = static_cast<std::size_t>(1 + width);
    if (head_bytes > known) return std::nullopt;
    size = ReadBigEndian(head.data() + 1, width);
  } else {
    return std::nullopt;
  }
  if (size != bytes.size() - head_bytes) return std::nullopt;
  return bytes.substr(head_bytes);
}

}  // namespace poold::codec
