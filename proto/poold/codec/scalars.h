// Whole numbers, read straight from the bytes and written straight to them: the way of most small tasks.
//
// These functions leave everything else (a wrong type, a number out of range, a float for an integer) to convert.h,
// which knows the error messages. Pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace poold::codec {

// Types of these functions: integers of 32 and 64 bits.
template <typename T>
inline constexpr bool kIsScalar = false;
template <typename T>
requires(std::is_integral_v<T>) inline constexpr bool kIsScalar<T> = !std::is_same_v<T, bool> && sizeof(T) >= 4 &&
                                                                     sizeof(T) <= 8;

// The number whose bytes in memory are those of `number`, the highest first.
inline std::uint64_t ToBigEndian(std::uint64_t number) {
  if constexpr (std::endian::native == std::endian::little) return __builtin_bswap64(number);
  return number;
}

// Whether every type of a tuple is a scalar.
template <typename Tuple>
struct AllScalars : std::false_type {};
template <typename... T>
struct AllScalars<std::tuple<T...>> : std::bool_constant<(kIsScalar<T> && ...)> {};

// Reads a number of 1, 2, 4 or 8 bytes. REQUIRES: they are there.
inline std::uint64_t ReadBigEndian(const char* at, int width) {
  if (width == 1) return static_cast<std::uint8_t>(*at);
  std::uint64_t number = 0;
  if (width == 2) {
    std::memcpy(&number, at, 2);
  } else if (width == 4) {
    std::memcpy(&number, at, 4);
  } else {
    std::memcpy(&number, at, 8);
  }
  return ToBigEndian(number) >> (64 - 8 * width);
}

// Reads a whole number behind its type byte. Returns the next byte; null: the bytes are something else, cut off, or
// above INT64_MAX.
[[gnu::always_inline]] inline const char* ReadInteger(const char* at, const char* end, std::int64_t* out) {
  if (at == end) return nullptr;
  const auto type = static_cast<std::uint8_t>(*at++);
  if (type <= 0x7f || type >= 0xe0) {
    *out = static_cast<std::int8_t>(type);
    return at;
  }
  if (type < 0xcc || type > 0xd3) return nullptr;
  const bool is_signed = type >= 0xd0;
  const int width = 1 << ((type - 0xcc) & 3);
  if (end - at < width) return nullptr;
  const std::uint64_t value = ReadBigEndian(at, width);
  if (is_signed) {
    const int shift = 64 - 8 * width;
    *out = static_cast<std::int64_t>(value << shift) >> shift;
  } else {
    if (value > INT64_MAX) return nullptr;
    *out = static_cast<std::int64_t>(value);
  }
  return at + width;
}

// As ReadInteger; null also where T cannot hold the number.
template <typename T>
const char* ReadScalar(const char* at, const char* end, T* out) {
  std::int64_t value;
  at = ReadInteger(at, end, &value);
  if (at == nullptr) return nullptr;
  *out = static_cast<T>(value);
  return static_cast<std::int64_t>(*out) == value && (*out < T{0}) == (value < 0) ? at : nullptr;
}

// Reads one number. False: the bytes are not exactly that.
template <typename T>
bool ReadOnly(std::string_view bytes, T* out) {
  const char* const end = bytes.data() + bytes.size();
  return ReadScalar(bytes.data(), end, out) == end;
}

// Reads an array of exactly these numbers, at most 15. False: the bytes are not exactly that.
template <typename... T>
bool ReadScalars(std::string_view bytes, std::tuple<T...>* out) {
  static_assert(sizeof...(T) >= 0);
  if constexpr (sizeof...(T) > 15) return false;
  if (bytes.empty() || static_cast<std::uint8_t>(bytes.front()) != 0x90 + sizeof...(T)) return false;
  const char* at = bytes.data() + 1;
  const char* const end = bytes.data() + bytes.size();
  const auto read = [&](auto& value) { return (at = ReadScalar(at, end, &value)) != nullptr; };
  return std::apply([&](T&... value) { return (read(value) && ...); }, *out) && at == end;
}

// The bytes that WriteScalar may touch.
inline constexpr std::size_t kScalarBytes = 9;

// Writes a number in as few bytes as the library would, and returns the next byte. The first eight bytes are one write,
// so that a copy which follows at once need not wait until pieces are joined. REQUIRES: room for kScalarBytes.
template <typename T>
char* WriteScalar(char* at, T value) {
  static_assert(kIsScalar<T>);
  const auto bits = static_cast<std::uint64_t>(value);
  std::uint8_t type = 0;
  int width = 0;  // behind the type byte
  if (value < T{0}) {
    const auto number = static_cast<std::int64_t>(value);
    if (number < -32) {
      const int log = number < INT32_MIN ? 3 : number < INT16_MIN ? 2 : number < INT8_MIN ? 1 : 0;
      type = static_cast<std::uint8_t>(0xd0 + log);
      width = 1 << log;
    }
  } else if (bits > 0x7f) {
    const int log = bits > UINT32_MAX ? 3 : bits > UINT16_MAX ? 2 : bits > UINT8_MAX ? 1 : 0;
    type = static_cast<std::uint8_t>(0xcc + log);
    width = 1 << log;
  }
  if (width == 0) {
    *at = static_cast<char>(bits);
    return at + 1;
  }
  const std::uint64_t number = bits << (64 - 8 * width);
  const std::uint64_t first = ToBigEndian(std::uint64_t{type} << 56 | number >> 8);
  std::memcpy(at, &first, sizeof first);
  at[sizeof first] = static_cast<char>(number);  // of nine bytes the last
  return at + 1 + width;
}

// Appends a number.
template <typename T>
void AppendScalar(std::string* out, T value) {
  char bytes[kScalarBytes];
  const auto size = static_cast<std::size_t>(WriteScalar(bytes, value) - bytes);
  // In the pieces in which they were written: see WriteScalar.
  out->append(bytes, size < kScalarBytes ? size : kScalarBytes - 1);
  if (size == kScalarBytes) out->push_back(bytes[kScalarBytes - 1]);
}

}  // namespace poold::codec
