// HandleId: the name of a task or a map, 128 bits.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace poold::client {

// A plain value. On the wire an id is 16 bytes, high before low, both big-endian; in text an id is 32 hexadecimal
// digits. The id of all zeros names nothing.
struct HandleId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  // The 16 bytes of the wire.
  std::string ToBytes() const;
  // The 32 digits, in lower case.
  std::string ToHex() const;
  // Reads 16 bytes. Nothing: `bytes` has another length.
  static std::optional<HandleId> FromBytes(std::string_view bytes);
  // Reads 32 hexadecimal digits of either case and passes over dashes. Nothing: `hex` is anything else.
  static std::optional<HandleId> FromHex(std::string_view hex);
  // Draws an id from the system's random numbers. Any thread may call.
  static HandleId Random();

  friend auto operator<=>(const HandleId&, const HandleId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const HandleId& id) {
    return H::combine(std::move(h), id.high, id.low);
  }
};

}  // namespace poold::client
