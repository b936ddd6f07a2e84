// Convert<T>: the conversion between a C++ type and MessagePack, one specialisation for each kind of type:
//
//   static std::string Name();                                   for error texts: "int32", "array of string"
//   static void Write(Packer&, const T&);
//   static bool Read(const msgpack::object&, T*, Mismatch*);     false: *mismatch says why, *T is anything
//   using Parts = std::tuple<...>;                               of a type made of others: those
//   static constexpr bool kView = true;                          of a type that refers to the bytes
//
// A value arrives as it was sent, type and bits. Where the types at the two ends differ, a value is taken only if none
// of it is lost: integers are range-checked; a float counts as an integer where it is one (some languages have only
// floats) and is not -0; an integer counts as a float that holds it exactly; a boolean is only a boolean. Two
// exceptions, for languages that have one kind of float: a double for a float is rounded to the nearest (and refused
// beyond a float's range), and a signalling NaN in a float arrives quiet.
//
// This file has scalars, texts and bytes; containers.h, structs.h, times.h and variant.h have the rest.
// Threads: pure functions. Errors: Write throws TooLong; Read reports a Mismatch.
// Example: a specialisation for a type of one's own, where POOLD_FIELDS (fields.h) is not enough.
//   template <>
//   struct poold::codec::Convert<Money> {
//     static std::string Name() { return "int64 (cents)"; }
//     static void Write(Packer& packer, const Money& value) { packer.pack_int64(value.cents); }
//     static bool Read(const msgpack::object& value, Money* out, Mismatch* mismatch) {
//       return Convert<std::int64_t>::Read(value, &out->cents, mismatch);
//     }
//   };
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "poold/codec/bytes.h"
#include "poold/codec/mismatch.h"
#include "poold/codec/msgpack.h"
#include "poold/codec/utf8.h"

namespace poold::codec {

// False for every T, for static_assert.
template <typename T>
inline constexpr bool kNever = false;

// The base of Convert<T> for types that cannot travel.
struct CannotTravel {};

// Every other type: give a struct POOLD_FIELDS, or specialise Convert.
template <typename T>
struct Convert : CannotTravel {
  static std::string Name() { return ""; }
  static void Write(Packer&, const T&) {
    static_assert(kNever<T>,
                  "poold: this type cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) behind it.");
  }
  static bool Read(const msgpack::object&, T*, Mismatch*) {
    static_assert(kNever<T>,
                  "poold: this type cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) behind it.");
    return false;
  }
};

// Thrown for a value that MessagePack cannot hold: it counts bytes and elements in 32 bits.
class TooLong : public std::length_error {
 public:
  explicit TooLong(std::size_t size, std::size_t most = UINT32_MAX)
      : std::length_error("a value of " + std::to_string(size) + " bytes or elements: at most " + std::to_string(most) +
                          " can travel") {}
};

// The size as MessagePack counts. Throws TooLong.
inline std::uint32_t Length(std::size_t size) {
  if (size > UINT32_MAX) throw TooLong(size);
  return static_cast<std::uint32_t>(size);
}

// Fills the mismatch for a value that is no T. Returns false, so that Read can return the result.
template <typename T>
bool Refuse(const msgpack::object& value, Mismatch* mismatch) {
  mismatch->wanted = Convert<T>::Name();
  mismatch->given = Describe(value);
  mismatch->place.clear();
  return false;
}

// A boolean is only a boolean: no number is taken.
template <>
struct Convert<bool> {
  static std::string Name() { return "boolean"; }
  static void Write(Packer& packer, bool value) { value ? packer.pack_true() : packer.pack_false(); }
  static bool Read(const msgpack::object& value, bool* out, Mismatch* mismatch) {
    if (value.type != msgpack::type::BOOLEAN) return Refuse<bool>(value, mismatch);
    *out = value.via.boolean;
    return true;
  }
};

// Integers of up to 64 bits, range-checked.
template <std::integral T>
requires(sizeof(T) <= 8) struct Convert<T> {
  static std::string Name() { return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T)); }
  static void Write(Packer& packer, T value) {
    if constexpr (std::is_signed_v<T>) {
      packer.pack_int64(value);
    } else {
      packer.pack_uint64(value);
    }
  }
  // Takes integers in the range of T, and floats that are such an integer; with mismatch->exact no floats.
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    switch (value.type) {
      case msgpack::type::POSITIVE_INTEGER:
        if (!std::in_range<Plain>(value.via.u64)) break;
        *out = static_cast<T>(value.via.u64);
        return true;
      case msgpack::type::NEGATIVE_INTEGER:
        if (!std::in_range<Plain>(value.via.i64)) break;
        *out = static_cast<T>(value.via.i64);
        return true;
      case msgpack::type::FLOAT32:
      case msgpack::type::FLOAT64:
        if (mismatch->exact || !Integral(value.via.f64)) break;
        *out = static_cast<T>(value.via.f64);
        return true;
      default:
        break;
    }
    return Refuse<T>(value, mismatch);
  }

 private:
  // The integer of the same range that std::in_range takes (std::in_range does not take char).
  using Plain = std::conditional_t<
      sizeof(T) == 1, std::conditional_t<std::is_signed_v<T>, std::int8_t, std::uint8_t>,
      std::conditional_t<
          sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int16_t, std::uint16_t>,
          std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>,
                             std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>>>;

  // Whether the float is a whole number in the range of T, and not -0.
  static bool Integral(double value) {
    // The upper bound is a power of two, which a double holds exactly; max() itself may not be one.
    const double bound = std::ldexp(1.0, std::numeric_limits<Plain>::digits);
    const double least = std::is_signed_v<T> ? -bound : 0.0;
    const bool minus_zero = value == 0 && std::signbit(value);
    return value >= least && value < bound && std::trunc(value) == value && !minus_zero;
  }
};

// float and double, with type and bits.
template <std::floating_point T>
requires(sizeof(T) <= 8) struct Convert<T> {
  static std::string Name() { return sizeof(T) == 4 ? "float" : "double"; }
  static void Write(Packer& packer, T value) {
    if constexpr (sizeof(T) == 4) {
      packer.pack_float(value);
    } else {
      packer.pack_double(value);
    }
  }
  // Takes floats in the range of T, and integers that T holds exactly; with mismatch->exact only floats of the same
  // size.
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    switch (value.type) {
      case msgpack::type::POSITIVE_INTEGER:
        if (mismatch->exact || !Holds(value.via.u64)) break;
        *out = static_cast<T>(value.via.u64);
        return true;
      case msgpack::type::NEGATIVE_INTEGER:
        if (mismatch->exact || !Holds(value.via.i64)) break;
        *out = static_cast<T>(value.via.i64);
        return true;
      case msgpack::type::FLOAT32:
      case msgpack::type::FLOAT64:
        if (mismatch->exact && (value.type == msgpack::type::FLOAT32) != (sizeof(T) == 4)) break;
        if (std::isfinite(value.via.f64) && std::abs(value.via.f64) > std::numeric_limits<T>::max()) break;
        *out = static_cast<T>(value.via.f64);
        return true;
      default:
        break;
    }
    return Refuse<T>(value, mismatch);
  }

 private:
  // Whether T holds the number with all its digits.
  template <typename Number>
  static bool Holds(Number number) {
    const T rounded = static_cast<T>(number);
    // A power of two, which T holds exactly; above it there is nothing to cast back.
    return rounded < std::ldexp(T{1}, std::numeric_limits<Number>::digits) && static_cast<Number>(rounded) == number;
  }
};

// Enums travel as their underlying integer. A number without an enumerator is kept.
template <typename T>
requires std::is_enum_v<T>
struct Convert<T> {
  using Number = std::underlying_type_t<T>;
  static std::string Name() { return Convert<Number>::Name(); }
  static void Write(Packer& packer, T value) { Convert<Number>::Write(packer, static_cast<Number>(value)); }
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    Number number{};
    if (!Convert<Number>::Read(value, &number, mismatch)) return false;
    *out = static_cast<T>(number);
    return true;
  }
};

// The bytes of a text or of raw bytes: each is written as its own kind and read from either. Nothing: the value is
// something else.
inline std::optional<std::string_view> TextOrBytes(const msgpack::object& value) {
  if (value.type == msgpack::type::STR) return std::string_view(value.via.str.ptr, value.via.str.size);
  if (value.type == msgpack::type::BIN) return std::string_view(value.via.bin.ptr, value.via.bin.size);
  return std::nullopt;
}

// Reads a text or bytes in place. `as` is the kind in which T is written.
template <typename T>
bool ReadBytes(const msgpack::object& value, msgpack::type::object_type as, std::string_view* out, Mismatch* mismatch) {
  const std::optional<std::string_view> bytes = TextOrBytes(value);
  if (!bytes || (mismatch->exact && value.type != as)) return Refuse<T>(value, mismatch);
  *out = *bytes;
  return true;
}

// Writes a text. Throws TooLong.
inline void WriteText(Packer& packer, std::string_view text) {
  const std::uint32_t length = Length(text.size());
  packer.pack_str(length).pack_str_body(text.data(), length);
}
// Writes raw bytes. Throws TooLong.
inline void WriteBytes(Packer& packer, std::string_view bytes) {
  const std::uint32_t length = Length(bytes.size());
  packer.pack_bin(length).pack_bin_body(bytes.data(), length);
}

// As a parameter the view is valid during the call; as a result the text is written when the function has returned.
template <>
struct Convert<std::string_view> {
  static constexpr bool kView = true;
  static std::string Name() { return "string"; }
  static void Write(Packer& packer, std::string_view value) { WriteText(packer, value); }
  static bool Read(const msgpack::object& value, std::string_view* out, Mismatch* mismatch) {
    return ReadBytes<std::string_view>(value, msgpack::type::STR, out, mismatch);
  }
};

// A copy of a text, or of bytes.
template <>
struct Convert<std::string> {
  static std::string Name() { return "string"; }
  static void Write(Packer& packer, const std::string& value) { WriteText(packer, value); }
  static bool Read(const msgpack::object& value, std::string* out, Mismatch* mismatch) {
    std::string_view view;
    if (!ReadBytes<std::string>(value, msgpack::type::STR, &view, mismatch)) return false;
    out->assign(view);
    return true;
  }
};

// C strings are written only: literals among arguments. A null pointer is nil.
template <typename T>
requires std::same_as<T, const char*> || std::same_as<T, char*>
struct Convert<T> {
  static void Write(Packer& packer, const char* value) {
    if (value == nullptr) {
      packer.pack_nil();
    } else {
      WriteText(packer, value);
    }
  }
};

// Types with one value are nil, and nothing else is.
template <typename T>
requires std::same_as<T, std::nullptr_t> || std::same_as<T, std::nullopt_t>
struct Convert<T> {
  static std::string Name() { return "nil"; }
  static void Write(Packer& packer, const T&) { packer.pack_nil(); }
  static bool Read(const msgpack::object& value, T*, Mismatch* mismatch) {
    return value.type == msgpack::type::NIL || Refuse<T>(value, mismatch);
  }
};

// Raw bytes in place; valid as long as a std::string_view.
template <>
struct Convert<BytesView> {
  static constexpr bool kView = true;
  static std::string Name() { return "bytes"; }
  static void Write(Packer& packer, BytesView value) { WriteBytes(packer, value.data); }
  static bool Read(const msgpack::object& value, BytesView* out, Mismatch* mismatch) {
    return ReadBytes<BytesView>(value, msgpack::type::BIN, &out->data, mismatch);
  }
};

// A copy of raw bytes, or of a text.
template <>
struct Convert<Bytes> {
  static std::string Name() { return "bytes"; }
  static void Write(Packer& packer, const Bytes& value) { WriteBytes(packer, value.data); }
  static bool Read(const msgpack::object& value, Bytes* out, Mismatch* mismatch) {
    std::string_view view;
    if (!ReadBytes<Bytes>(value, msgpack::type::BIN, &view, mismatch)) return false;
    out->data.assign(view);
    return true;
  }
};

// std::filesystem::path, recognised by its members, so that its header is not needed.
template <typename T>
concept Path = requires(T& value, const T& constant, std::string_view text) {
  { constant.native() } -> std::same_as<const std::string&>;
  { constant.lexically_normal() } -> std::same_as<T>;
  value.assign(text);
};
// A path is written as text, or as bytes where it is not UTF-8.
template <Path T>
struct Convert<T> {
  static std::string Name() { return "path"; }
  static void Write(Packer& packer, const T& value) {
    IsUtf8(value.native()) ? WriteText(packer, value.native()) : WriteBytes(packer, value.native());
  }
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    const std::optional<std::string_view> bytes = TextOrBytes(value);
    if (!bytes) return Refuse<T>(value, mismatch);
    out->assign(*bytes);
    return true;
  }
};

// Writes a value that was read.
inline void WriteAny(Packer& packer, const msgpack::object& value) {
  switch (value.type) {
    case msgpack::type::NIL:
      packer.pack_nil();
      return;
    case msgpack::type::BOOLEAN:
      value.via.boolean ? packer.pack_true() : packer.pack_false();
      return;
    case msgpack::type::POSITIVE_INTEGER:
      packer.pack_uint64(value.via.u64);
      return;
    case msgpack::type::NEGATIVE_INTEGER:
      packer.pack_int64(value.via.i64);
      return;
    case msgpack::type::FLOAT32:
      packer.pack_float(static_cast<float>(value.via.f64));
      return;
    case msgpack::type::FLOAT64:
      packer.pack_double(value.via.f64);
      return;
    case msgpack::type::STR:
      packer.pack_str(value.via.str.size).pack_str_body(value.via.str.ptr, value.via.str.size);
      return;
    case msgpack::type::BIN:
      packer.pack_bin(value.via.bin.size).pack_bin_body(value.via.bin.ptr, value.via.bin.size);
      return;
    case msgpack::type::ARRAY:
      packer.pack_array(value.via.array.size);
      for (std::uint32_t i = 0; i < value.via.array.size; ++i) WriteAny(packer, value.via.array.ptr[i]);
      return;
    case msgpack::type::MAP:
      packer.pack_map(value.via.map.size);
      for (std::uint32_t i = 0; i < value.via.map.size; ++i) {
        WriteAny(packer, KeyAt(value, i));
        WriteAny(packer, ValueAt(value, i));
      }
      return;
    case msgpack::type::EXT:
      packer.pack_ext(value.via.ext.size, value.via.ext.type()).pack_ext_body(value.via.ext.data(), value.via.ext.size);
      return;
  }
}

// Any value, as the library shows it. A parameter only: valid during the call, and as the function's result.
template <>
struct Convert<msgpack::object> {
  static constexpr bool kView = true;
  static std::string Name() { return "any value"; }
  static void Write(Packer& packer, const msgpack::object& value) { WriteAny(packer, value); }
  static bool Read(const msgpack::object& value, msgpack::object* out, Mismatch*) {
    *out = value;
    return true;
  }
};

// A T or nil.
template <typename T>
struct Convert<std::optional<T>> {
  using Parts = std::tuple<T>;
  static std::string Name() { return Convert<T>::Name() + " or nil"; }
  static void Write(Packer& packer, const std::optional<T>& value) {
    if (value) {
      Convert<T>::Write(packer, *value);
    } else {
      packer.pack_nil();
    }
  }
  static bool Read(const msgpack::object& value, std::optional<T>* out, Mismatch* mismatch) {
    if (value.type == msgpack::type::NIL) {
      out->reset();
      return true;
    }
    return Convert<T>::Read(value, &out->emplace(), mismatch);
  }
};

}  // namespace poold::codec
