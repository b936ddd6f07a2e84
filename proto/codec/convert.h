// C++ values <-> MessagePack, one Convert<T> for each kind of type:
//
//   static std::string Name();                                   for error texts: "int32", "array of string"
//   static void Write(Packer&, const T&);
//   static bool Read(const msgpack::object&, T*, Mismatch*);     false: *mismatch says why, *T is anything
//   using Parts = std::tuple<...>;                               of a type made of others: those
//
// What goes in comes out, type and bits. Where the types at the two ends differ, a value is taken only if none of it is
// lost: integers are range-checked; a float counts as an integer where it is one (some languages have only floats) and
// is not -0; an integer counts as a float that holds it exactly; a boolean is only a boolean. Two exceptions, for
// languages that have one kind of float: a double for a float is rounded to the nearest (and refused beyond a float's
// range), and a signalling NaN in a float comes out quiet.
//
// This file has scalars, texts and bytes; containers.h, structs.h, times.h and variant.h the rest.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "codec/bytes.h"
#include "codec/mismatch.h"
#include "codec/msgpack.h"
#include "codec/utf8.h"

namespace poold::codec {

template <typename T>
inline constexpr bool kNever = false;

// Of types that cannot travel: the base of their Convert.
struct CannotTravel {};

// For these: give a struct POOLD_FIELDS, or specialise this.
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

// What does not fit into a value of MessagePack, which counts bytes and elements in 32 bits.
class TooLong : public std::length_error {
 public:
  explicit TooLong(std::size_t size, std::size_t most = UINT32_MAX)
      : std::length_error("a value of " + std::to_string(size) + " bytes or elements: at most " + std::to_string(most) +
                          " can travel") {}
};

inline std::uint32_t Length(std::size_t size) {
  if (size > UINT32_MAX) throw TooLong(size);
  return static_cast<std::uint32_t>(size);
}

template <typename T>
bool Refuse(const msgpack::object& value, Mismatch* mismatch) {
  mismatch->wanted = Convert<T>::Name();
  mismatch->given = Describe(value);
  mismatch->place.clear();
  return false;
}

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
  // Of the same range, and one of those that std::in_range takes (char is not).
  using Plain = std::conditional_t<
      sizeof(T) == 1, std::conditional_t<std::is_signed_v<T>, std::int8_t, std::uint8_t>,
      std::conditional_t<
          sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int16_t, std::uint16_t>,
          std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>,
                             std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>>>;

  static bool Integral(double value) {
    // The upper bound is a power of two, which a double holds exactly; max() itself may not be one.
    const double bound = std::ldexp(1.0, std::numeric_limits<Plain>::digits);
    const double least = std::is_signed_v<T> ? -bound : 0.0;
    const bool minus_zero = value == 0 && std::signbit(value);
    return value >= least && value < bound && std::trunc(value) == value && !minus_zero;
  }
};

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
  // With all its digits.
  template <typename Number>
  static bool Holds(Number number) {
    const T rounded = static_cast<T>(number);
    // A power of two, which T holds exactly; above it there is nothing to cast back.
    return rounded < std::ldexp(T{1}, std::numeric_limits<Number>::digits) && static_cast<Number>(rounded) == number;
  }
};

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

// Text and bytes are written as what they are and read from either.
inline std::optional<std::string_view> TextOrBytes(const msgpack::object& value) {
  if (value.type == msgpack::type::STR) return std::string_view(value.via.str.ptr, value.via.str.size);
  if (value.type == msgpack::type::BIN) return std::string_view(value.via.bin.ptr, value.via.bin.size);
  return std::nullopt;
}

// `as` is what T is written as.
template <typename T>
bool ReadBytes(const msgpack::object& value, msgpack::type::object_type as, std::string_view* out, Mismatch* mismatch) {
  const std::optional<std::string_view> bytes = TextOrBytes(value);
  if (!bytes || (mismatch->exact && value.type != as)) return Refuse<T>(value, mismatch);
  *out = *bytes;
  return true;
}

inline void WriteText(Packer& packer, std::string_view text) {
  const std::uint32_t length = Length(text.size());
  packer.pack_str(length).pack_str_body(text.data(), length);
}
inline void WriteBytes(Packer& packer, std::string_view bytes) {
  const std::uint32_t length = Length(bytes.size());
  packer.pack_bin(length).pack_bin_body(bytes.data(), length);
}

// As a parameter the text lives as long as the call; as a result it is written when the function has returned.
template <>
struct Convert<std::string_view> {
  static constexpr bool kView = true;
  static std::string Name() { return "string"; }
  static void Write(Packer& packer, std::string_view value) { WriteText(packer, value); }
  static bool Read(const msgpack::object& value, std::string_view* out, Mismatch* mismatch) {
    return ReadBytes<std::string_view>(value, msgpack::type::STR, out, mismatch);
  }
};

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

// Written only: literals among arguments. A null pointer is nil.
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

// Nil, and nothing else.
template <typename T>
requires std::same_as<T, std::nullptr_t> || std::same_as<T, std::monostate> || std::same_as<T, std::nullopt_t>
struct Convert<T> {
  static std::string Name() { return "nil"; }
  static void Write(Packer& packer, const T&) { packer.pack_nil(); }
  static bool Read(const msgpack::object& value, T*, Mismatch* mismatch) {
    return value.type == msgpack::type::NIL || Refuse<T>(value, mismatch);
  }
};

// As std::string_view.
template <>
struct Convert<BytesView> {
  static constexpr bool kView = true;
  static std::string Name() { return "bytes"; }
  static void Write(Packer& packer, BytesView value) { WriteBytes(packer, value.data); }
  static bool Read(const msgpack::object& value, BytesView* out, Mismatch* mismatch) {
    return ReadBytes<BytesView>(value, msgpack::type::BIN, &out->data, mismatch);
  }
};

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

// A text of its bytes, which need not be one: what is not UTF-8 travels as bytes.
template <>
struct Convert<std::filesystem::path> {
  static std::string Name() { return "path"; }
  static void Write(Packer& packer, const std::filesystem::path& value) {
    IsUtf8(value.native()) ? WriteText(packer, value.native()) : WriteBytes(packer, value.native());
  }
  static bool Read(const msgpack::object& value, std::filesystem::path* out, Mismatch* mismatch) {
    const std::optional<std::string_view> bytes = TextOrBytes(value);
    if (!bytes) return Refuse<std::filesystem::path>(value, mismatch);
    out->assign(*bytes);
    return true;
  }
};

// Any value, as the library shows it. As a parameter only: it lives as long as the call (it may be returned from it).
template <>
struct Convert<msgpack::object> {
  static constexpr bool kView = true;
  static std::string Name() { return "any value"; }
  static void Write(Packer& packer, const msgpack::object& value) { packer.pack(value); }
  static bool Read(const msgpack::object& value, msgpack::object* out, Mismatch*) {
    *out = value;
    return true;
  }
};

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
