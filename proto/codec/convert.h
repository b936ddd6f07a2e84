// C++ values <-> MessagePack, one Convert<T> for each kind of type:
//
//   static std::string Name();                                   for error texts: "int32", "array of string"
//   static void Write(Packer&, const T&);
//   static bool Read(const msgpack::object&, T*, Mismatch*);     false: *mismatch says why, *T is anything
//
// Stricter than the library's own conversions: integers are range-checked, a float with an integral value counts as an
// integer (some languages have only floats), a boolean is only a boolean.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "codec/bytes.h"
#include "codec/fields.h"
#include "codec/mismatch.h"
#include "codec/msgpack.h"

namespace poold::codec {

// Not defined for types that cannot travel: give a struct POOLD_FIELDS, or specialise this.
template <typename T>
struct Convert;

template <typename T>
concept Convertible = requires {
  sizeof(Convert<T>);
};

template <typename T>
bool Refuse(const msgpack::object& value, Mismatch* mismatch) {
  *mismatch = {Convert<T>::Name(), Describe(value), ""};
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
struct Convert<T> {
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
        if (!Integral(value.via.f64)) break;
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
    return value >= least && value < bound && std::trunc(value) == value;
  }
};

template <std::floating_point T>
struct Convert<T> {
  static std::string Name() { return sizeof(T) == 4 ? "float" : "double"; }
  static void Write(Packer& packer, T value) {
    if constexpr (sizeof(T) == 4) {
      packer.pack_float(value);
    } else {
      packer.pack_double(static_cast<double>(value));
    }
  }
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    switch (value.type) {
      case msgpack::type::POSITIVE_INTEGER:
        *out = static_cast<T>(value.via.u64);
        return true;
      case msgpack::type::NEGATIVE_INTEGER:
        *out = static_cast<T>(value.via.i64);
        return true;
      case msgpack::type::FLOAT32:
      case msgpack::type::FLOAT64:
        *out = static_cast<T>(value.via.f64);
        return true;
      default:
        return Refuse<T>(value, mismatch);
    }
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
template <typename T>
bool ReadBytes(const msgpack::object& value, std::string_view* out, Mismatch* mismatch) {
  if (value.type == msgpack::type::STR) {
    *out = {value.via.str.ptr, value.via.str.size};
  } else if (value.type == msgpack::type::BIN) {
    *out = {value.via.bin.ptr, value.via.bin.size};
  } else {
    return Refuse<T>(value, mismatch);
  }
  return true;
}

// As a parameter the text lives as long as the call; as a result it is written when the function has returned.
template <>
struct Convert<std::string_view> {
  static std::string Name() { return "string"; }
  static void Write(Packer& packer, std::string_view value) {
    packer.pack_str(static_cast<std::uint32_t>(value.size()));
    packer.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
  }
  static bool Read(const msgpack::object& value, std::string_view* out, Mismatch* mismatch) {
    return ReadBytes<std::string_view>(value, out, mismatch);
  }
};

template <>
struct Convert<std::string> {
  static std::string Name() { return "string"; }
  static void Write(Packer& packer, const std::string& value) { Convert<std::string_view>::Write(packer, value); }
  static bool Read(const msgpack::object& value, std::string* out, Mismatch* mismatch) {
    std::string_view view;
    if (!ReadBytes<std::string>(value, &view, mismatch)) return false;
    out->assign(view);
    return true;
  }
};

// Written only: literals among arguments.
template <>
struct Convert<const char*> {
  static std::string Name() { return "string"; }
  static void Write(Packer& packer, const char* value) { Convert<std::string_view>::Write(packer, value); }
};

// As std::string_view.
template <>
struct Convert<BytesView> {
  static std::string Name() { return "bytes"; }
  static void Write(Packer& packer, BytesView value) {
    packer.pack_bin(static_cast<std::uint32_t>(value.data.size()));
    packer.pack_bin_body(value.data.data(), static_cast<std::uint32_t>(value.data.size()));
  }
  static bool Read(const msgpack::object& value, BytesView* out, Mismatch* mismatch) {
    return ReadBytes<BytesView>(value, &out->data, mismatch);
  }
};

template <>
struct Convert<Bytes> {
  static std::string Name() { return "bytes"; }
  static void Write(Packer& packer, const Bytes& value) { Convert<BytesView>::Write(packer, {value.data}); }
  static bool Read(const msgpack::object& value, Bytes* out, Mismatch* mismatch) {
    std::string_view view;
    if (!ReadBytes<Bytes>(value, &view, mismatch)) return false;
    out->data.assign(view);
    return true;
  }
};

// Any value, as the library shows it. As a parameter only: it lives as long as the call (it may be returned from it).
template <>
struct Convert<msgpack::object> {
  static std::string Name() { return "any value"; }
  static void Write(Packer& packer, const msgpack::object& value) { packer.pack(value); }
  static bool Read(const msgpack::object& value, msgpack::object* out, Mismatch*) {
    *out = value;
    return true;
  }
};

template <typename T>
struct Convert<std::optional<T>> {
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

// Sequences and sets.
template <typename List, typename T>
struct ConvertList {
  static std::string Name() { return "array of " + Convert<T>::Name(); }
  static void Write(Packer& packer, const List& value) {
    packer.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const auto& element : value) Convert<T>::Write(packer, element);
  }
  static bool Read(const msgpack::object& value, List* out, Mismatch* mismatch) {
    if (value.type != msgpack::type::ARRAY) return Refuse<List>(value, mismatch);
    out->clear();
    if constexpr (requires { out->reserve(1); }) out->reserve(value.via.array.size);
    for (std::uint32_t i = 0; i < value.via.array.size; ++i) {
      T element{};
      if (!Convert<T>::Read(value.via.array.ptr[i], &element, mismatch)) {
        return mismatch->Inside("[" + std::to_string(i) + "]");
      }
      out->insert(out->end(), std::move(element));
    }
    return true;
  }
};
template <typename T>
struct Convert<std::vector<T>> : ConvertList<std::vector<T>, T> {};
template <typename T>
struct Convert<std::set<T>> : ConvertList<std::set<T>, T> {};
template <typename T>
struct Convert<std::unordered_set<T>> : ConvertList<std::unordered_set<T>, T> {};

template <typename Map, typename K, typename V>
struct ConvertMap {
  static std::string Name() { return "map from " + Convert<K>::Name() + " to " + Convert<V>::Name(); }
  static void Write(Packer& packer, const Map& value) {
    packer.pack_map(static_cast<std::uint32_t>(value.size()));
    for (const auto& [key, element] : value) {
      Convert<K>::Write(packer, key);
      Convert<V>::Write(packer, element);
    }
  }
  static bool Read(const msgpack::object& value, Map* out, Mismatch* mismatch) {
    if (value.type != msgpack::type::MAP) return Refuse<Map>(value, mismatch);
    out->clear();
    for (std::uint32_t i = 0; i < value.via.map.size; ++i) {
      K key{};
      V element{};
      if (!Convert<K>::Read(value.via.map.ptr[i].key, &key, mismatch)) return mismatch->Inside("[a key]");
      if (!Convert<V>::Read(value.via.map.ptr[i].val, &element, mismatch)) return mismatch->Inside("[a value]");
      out->insert_or_assign(std::move(key), std::move(element));
    }
    return true;
  }
};
template <typename K, typename V>
struct Convert<std::map<K, V>> : ConvertMap<std::map<K, V>, K, V> {};
template <typename K, typename V>
struct Convert<std::unordered_map<K, V>> : ConvertMap<std::unordered_map<K, V>, K, V> {};

// Tuples, pairs and arrays of fixed size: arrays with exactly so many elements.
template <typename Tuple, typename... T>
struct ConvertTuple {
  static std::string Name() { return "array of exactly " + std::to_string(sizeof...(T)); }
  static void Write(Packer& packer, const Tuple& value) {
    packer.pack_array(sizeof...(T));
    std::apply([&](const auto&... element) { (Convert<T>::Write(packer, element), ...); }, value);
  }
  static bool Read(const msgpack::object& value, Tuple* out, Mismatch* mismatch) {
    if (value.type != msgpack::type::ARRAY || value.via.array.size != sizeof...(T)) {
      return Refuse<Tuple>(value, mismatch);
    }
    std::uint32_t i = 0;
    const bool read = std::apply(
        [&](auto&... element) { return (Convert<T>::Read(value.via.array.ptr[i++], &element, mismatch) && ...); },
        *out);
    return read || mismatch->Inside("[" + std::to_string(i - 1) + "]");
  }
};
template <typename... T>
struct Convert<std::tuple<T...>> : ConvertTuple<std::tuple<T...>, T...> {};
template <typename A, typename B>
struct Convert<std::pair<A, B>> : ConvertTuple<std::pair<A, B>, A, B> {};

template <typename T, std::size_t N>
struct Convert<std::array<T, N>> {
  static std::string Name() { return "array of exactly " + std::to_string(N); }
  static void Write(Packer& packer, const std::array<T, N>& value) {
    packer.pack_array(N);
    for (const T& element : value) Convert<T>::Write(packer, element);
  }
  static bool Read(const msgpack::object& value, std::array<T, N>* out, Mismatch* mismatch) {
    if (value.type != msgpack::type::ARRAY || value.via.array.size != N) {
      return Refuse<std::array<T, N>>(value, mismatch);
    }
    for (std::size_t i = 0; i < N; ++i) {
      if (!Convert<T>::Read(value.via.array.ptr[i], &(*out)[i], mismatch)) {
        return mismatch->Inside("[" + std::to_string(i) + "]");
      }
    }
    return true;
  }
};

// Structs with POOLD_FIELDS.
template <typename T>
concept HasFields = std::is_class_v<T> && requires(T& value) {
  PooldVisitFields(value, [](const char*, auto&) {});
};

template <HasFields T>
struct Convert<T> {
  static std::string Name() {
    std::string names;
    T value{};
    PooldVisitFields(value, [&](const char* name, auto&) { names += (names.empty() ? "" : ", ") + std::string(name); });
    return "map or array of the fields {" + names + "}";
  }
  static void Write(Packer& packer, const T& value) {
    packer.pack_map(Count(value));
    PooldVisitFields(value, [&]<typename F>(const char* name, const F& field) {
      Convert<std::string_view>::Write(packer, name);
      Convert<F>::Write(packer, field);
    });
  }
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    const bool is_map = value.type == msgpack::type::MAP;
    if (!is_map && (value.type != msgpack::type::ARRAY || value.via.array.size != Count(*out))) {
      return Refuse<T>(value, mismatch);
    }
    std::uint32_t place = 0;
    bool read = true;
    PooldVisitFields(*out, [&]<typename F>(const char* name, F& field) {
      const msgpack::object* const found = is_map ? Find(value, name) : &value.via.array.ptr[place++];
      if (!read || found == nullptr || Convert<F>::Read(*found, &field, mismatch)) return;
      read = mismatch->Inside("." + std::string(name));
    });
    return read;
  }

 private:
  static std::uint32_t Count(const T& value) {
    std::uint32_t count = 0;
    PooldVisitFields(value, [&](const char*, const auto&) { ++count; });
    return count;
  }
  static const msgpack::object* Find(const msgpack::object& map, std::string_view name) {
    for (std::uint32_t i = 0; i < map.via.map.size; ++i) {
      const msgpack::object& key = map.via.map.ptr[i].key;
      if (key.type == msgpack::type::STR && std::string_view(key.via.str.ptr, key.via.str.size) == name) {
        return &map.via.map.ptr[i].val;
      }
    }
    return nullptr;
  }
};

// Structs with the library's own MSGPACK_DEFINE or MSGPACK_DEFINE_MAP.
template <typename T>
requires(!HasFields<T> && requires(T value, const msgpack::object& object, Packer& packer) {
  value.msgpack_unpack(object);
  value.msgpack_pack(packer);
}) struct Convert<T> {
  static std::string Name() { return "its fields (MSGPACK_DEFINE)"; }
  static void Write(Packer& packer, const T& value) { value.msgpack_pack(packer); }
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    try {
      out->msgpack_unpack(value);
      return true;
    } catch (const msgpack::type_error&) {
      return Refuse<T>(value, mismatch);
    }
  }
};

}  // namespace poold::codec
