// Whole numbers, read straight from the bytes: the way of most small tasks. What is not plain (a wrong type, a number
// out of range, a float for an integer) is left to convert.h, which knows what to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace poold::codec {

template <typename T>
inline constexpr bool kIsScalar = std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) >= 4;

template <typename Tuple>
struct AllScalars : std::false_type {};
template <typename... T>
struct AllScalars<std::tuple<T...>> : std::bool_constant<(kIsScalar<T> && ...)> {};

// A whole number, big-endian behind its type byte. False: it is something else, or cut off.
inline bool ReadInteger(std::string_view* bytes, std::int64_t* out) {
  if (bytes->empty()) return false;
  const auto type = static_cast<std::uint8_t>(bytes->front());
  if (type <= 0x7f || type >= 0xe0) {
    *out = static_cast<std::int8_t>(type);
    bytes->remove_prefix(1);
    return true;
  }
  if (type < 0xcc || type > 0xd3) return false;
  const bool is_signed = type >= 0xd0;
  const std::size_t width = std::size_t{1} << ((type - 0xcc) & 3);
  if (bytes->size() < 1 + width) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 1; i <= width; ++i) value = value << 8 | static_cast<std::uint8_t>((*bytes)[i]);
  if (is_signed) {
    const int shift = static_cast<int>(64 - 8 * width);
    *out = static_cast<std::int64_t>(value << shift) >> shift;
  } else {
    if (value > INT64_MAX) return false;
    *out = static_cast<std::int64_t>(value);
  }
  bytes->remove_prefix(1 + width);
  return true;
}

template <typename T>
bool ReadScalar(std::string_view* bytes, T* out) {
  std::int64_t value;
  if (!ReadInteger(bytes, &value)) return false;
  *out = static_cast<T>(value);
  return static_cast<std::int64_t>(*out) == value && (*out < T{0}) == (value < 0);
}

template <typename... T>
bool ReadScalars(std::string_view bytes, std::tuple<T...>* out) {
  static_assert(sizeof...(T) >= 0);
  if constexpr (sizeof...(T) > 15) return false;
  if (bytes.empty() || static_cast<std::uint8_t>(bytes.front()) != 0x90 + sizeof...(T)) return false;
  bytes.remove_prefix(1);
  return std::apply([&](T&... value) { return (ReadScalar(&bytes, &value) && ...); }, *out) && bytes.empty();
}

}  // namespace poold::codec
