// Whole numbers, straight from the bytes and to them: the way of most small tasks. What is not plain (a wrong type, a
// number out of range, a float for an integer) is left to convert.h, which knows what to say.
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

template <typename T>
inline constexpr bool kIsScalar = std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) >= 4;

// So that its bytes in memory are those of the number, the highest first.
inline std::uint64_t ToBigEndian(std::uint64_t number) {
  if constexpr (std::endian::native == std::endian::little) return __builtin_bswap64(number);
  return number;
}

template <typename Tuple>
struct AllScalars : std::false_type {};
template <typename... T>
struct AllScalars<std::tuple<T...>> : std::bool_constant<(kIsScalar<T> && ...)> {};

// A whole number, big-endian behind its type byte. Returns what follows; null: it is something else, or cut off.
inline const char* ReadInteger(const char* at, const char* end, std::int64_t* out) {
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
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | static_cast<std::uint8_t>(at[i]);
  if (is_signed) {
    const int shift = 64 - 8 * width;
    *out = static_cast<std::int64_t>(value << shift) >> shift;
  } else {
    if (value > INT64_MAX) return nullptr;
    *out = static_cast<std::int64_t>(value);
  }
  return at + width;
}

template <typename T>
const char* ReadScalar(const char* at, const char* end, T* out) {
  std::int64_t value;
  at = ReadInteger(at, end, &value);
  if (at == nullptr) return nullptr;
  *out = static_cast<T>(value);
  return static_cast<std::int64_t>(*out) == value && (*out < T{0}) == (value < 0) ? at : nullptr;
}

// One, and nothing behind it.
template <typename T>
bool ReadOnly(std::string_view bytes, T* out) {
  const char* const end = bytes.data() + bytes.size();
  return ReadScalar(bytes.data(), end, out) == end;
}

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

// Appends one, in as few bytes as the library would. Its first eight bytes are written as one: who copies them next
// need not wait until the pieces are together.
template <typename T>
void AppendScalar(std::string* out, T value) {
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
  if (width == 0) return out->push_back(static_cast<char>(bits));
  const std::uint64_t number = bits << (64 - 8 * width);
  const std::uint64_t first = ToBigEndian(std::uint64_t{type} << 56 | number >> 8);
  const std::size_t begin = out->size();
  out->resize(begin + sizeof first + 1);
  std::memcpy(out->data() + begin, &first, sizeof first);
  (*out)[begin + sizeof first] = static_cast<char>(number);  // of nine bytes the last
  out->resize(begin + 1 + static_cast<std::size_t>(width));
}

}  // namespace poold::codec
