// The name of a task or a map: 128 bits.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace poold::client {

// A plain value. On the wire 16 bytes, high then low, big-endian; in text 32 hexadecimal digits.
struct HandleId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  std::string ToBytes() const;
  std::string ToHex() const;
  // Nothing, when `bytes` is not 16 bytes long, or `hex` is not 32 digits (dashes are passed over).
  static std::optional<HandleId> FromBytes(std::string_view bytes);
  static std::optional<HandleId> FromHex(std::string_view hex);
  static HandleId Random();

  friend auto operator<=>(const HandleId&, const HandleId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const HandleId& id) {
    return H::combine(std::move(h), id.high, id.low);
  }
};

}  // namespace poold::client
