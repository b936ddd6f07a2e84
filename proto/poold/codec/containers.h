// Conversion of lists, sets, maps, tuples and arrays; and of bytes, where a list of them is one piece of memory.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "poold/codec/convert.h"

namespace poold::codec {

// Sequences and sets: an array of any length. A mismatch names the element: "[3]".
template <typename List, typename T>
struct ConvertList {
  using Parts = std::tuple<T>;
  static std::string Name() { return "array of " + Convert<T>::Name(); }
  static void Write(Packer& packer, const List& value) {
    packer.pack_array(Length(value.size()));
    for (const auto& element : value) Convert<T>::Write(packer, element);
  }
  // Replaces the elements of `out`. Elements of a set that are there twice count once.
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

// Containers of the standard library and their like, recognised by their members, so that a program includes only the
// headers of those that it uses.
template <typename T>
concept Container = requires(T& container, const T& constant) {
  requires !std::same_as<typename T::value_type, T>;
  { constant.size() } -> std::same_as<std::size_t>;
  constant.begin();
  container.clear();
};
// Maps of one element for each key.
template <typename T>
concept MapLike = Container<T> && requires(T& map, typename T::key_type key, typename T::mapped_type element) {
  map.insert_or_assign(std::move(key), std::move(element));
};
// Lists and sets.
template <typename T>
concept ListLike = Container<T> && !MapLike<T> && requires(T & list, typename T::value_type element) {
  list.insert(list.end(), std::move(element));
};
// Lists of bytes have specialisations of their own below.
template <ListLike T>
struct Convert<T> : ConvertList<T, typename T::value_type> {};

// Maps. Of keys that are there twice the last one counts.
template <typename Map, typename K, typename V>
struct ConvertMap {
  using Parts = std::tuple<K, V>;
  static std::string Name() { return "map from " + Convert<K>::Name() + " to " + Convert<V>::Name(); }
  static void Write(Packer& packer, const Map& value) {
    packer.pack_map(Length(value.size()));
    for (const auto& [key, element] : value) {
      Convert<K>::Write(packer, key);
      Convert<V>::Write(packer, element);
    }
  }
  // Replaces the elements of `out`.
  static bool Read(const msgpack::object& value, Map* out, Mismatch* mismatch) {
    if (value.type != msgpack::type::MAP) return Refuse<Map>(value, mismatch);
    out->clear();
    for (std::uint32_t i = 0; i < value.via.map.size; ++i) {
      K key{};
      V element{};
      if (!Convert<K>::Read(KeyAt(value, i), &key, mismatch)) return mismatch->Inside("[a key]");
      if (!Convert<V>::Read(ValueAt(value, i), &element, mismatch)) return mismatch->Inside("[a value]");
      out->insert_or_assign(std::move(key), std::move(element));
    }
    return true;
  }
};
template <MapLike T>
struct Convert<T> : ConvertMap<T, typename T::key_type, typename T::mapped_type> {};

// Tuples, pairs and arrays of fixed size: an array with exactly so many elements.
template <typename Tuple, typename... T>
struct ConvertTuple {
  using Parts = std::tuple<T...>;
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

// An array with exactly N elements.
template <typename T, std::size_t N>
struct Convert<std::array<T, N>> {
  using Parts = std::tuple<T>;
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

// Element types that are bytes: vectors, arrays and spans of them travel as poold::Bytes do.
template <typename T>
concept Byte = std::same_as<T, char> || std::same_as<T, unsigned char> || std::same_as<T, std::byte>;

// Whether the type is a vector, an array or a span of bytes.
template <typename T>
inline constexpr bool kIsByteList = false;
template <Byte T>
inline constexpr bool kIsByteList<std::vector<T>> = true;
template <Byte T, std::size_t N>
inline constexpr bool kIsByteList<std::array<T, N>> = true;
template <typename T>
inline constexpr bool kIsByteList<std::span<T>> = Byte<std::remove_const_t<T>>;

// The bytes of the list, in place.
template <typename List>
requires kIsByteList<List> std::string_view BytesOf(const List& list) {
  return {reinterpret_cast<const char*>(list.data()), list.size()};
}

// Copies the bytes into the list; a span refers to them instead. False: an array has another size.
template <typename List>
requires kIsByteList<List>
bool SetBytes(List* list, std::string_view bytes) {
  using Pointer = decltype(list->data());
  if constexpr (requires { list->assign(bytes.begin(), bytes.end()); }) {
    const auto* const begin = reinterpret_cast<std::add_const_t<std::remove_pointer_t<Pointer>>*>(bytes.data());
    list->assign(begin, begin + bytes.size());
  } else if constexpr (std::is_const_v<std::remove_pointer_t<Pointer>>) {
    *list = {reinterpret_cast<Pointer>(bytes.data()), bytes.size()};
  } else {
    if (list->size() != bytes.size()) return false;
    std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char*>(list->data()));
  }
  return true;
}

// Read from bytes, a text, or a list of numbers, which languages without bytes send.
template <typename List, Byte T>
struct ConvertByteList {
  static std::string Name() {
    if constexpr (requires(List list) { list.resize(1); }) return "bytes";
    return "exactly " + std::to_string(List().size()) + " bytes";
  }
  static void Write(Packer& packer, const List& value) { WriteBytes(packer, BytesOf(value)); }
  static bool Read(const msgpack::object& value, List* out, Mismatch* mismatch) {
    if (value.type == msgpack::type::ARRAY && !mismatch->exact) return ReadNumbers(value, out, mismatch);
    std::string_view bytes;
    if (!ReadBytes<List>(value, msgpack::type::BIN, &bytes, mismatch)) return false;
    return SetBytes(out, bytes) || Refuse<List>(value, mismatch);
  }

 private:
  // Reads a list of numbers from 0 to 255.
  static bool ReadNumbers(const msgpack::object& value, List* out, Mismatch* mismatch) {
    if constexpr (requires { out->resize(1); }) out->resize(value.via.array.size);
    if (out->size() != value.via.array.size) return Refuse<List>(value, mismatch);
    for (std::uint32_t i = 0; i < value.via.array.size; ++i) {
      std::uint8_t number = 0;
      if (!Convert<std::uint8_t>::Read(value.via.array.ptr[i], &number, mismatch)) {
        return mismatch->Inside("[" + std::to_string(i) + "]");
      }
      (*out)[i] = static_cast<T>(number);
    }
    return true;
  }
};
template <Byte T>
struct Convert<std::vector<T>> : ConvertByteList<std::vector<T>, T> {};
template <Byte T, std::size_t N>
struct Convert<std::array<T, N>> : ConvertByteList<std::array<T, N>, T> {};

// A span refers to its elements. A span of other elements than bytes is written only.
template <typename T>
struct Convert<std::span<T>> {
  using Element = std::remove_const_t<T>;
  using Parts = std::tuple<Element>;
  static void Write(Packer& packer, std::span<T> value) {
    packer.pack_array(Length(value.size()));
    for (const Element& element : value) Convert<Element>::Write(packer, element);
  }
};
// As a parameter std::span<const T> shows the bytes in place; valid during the call.
template <typename T>
requires Byte<std::remove_const_t<T>>
struct Convert<std::span<T>> {
  static constexpr bool kView = true;
  static std::string Name() { return "bytes"; }
  static void Write(Packer& packer, std::span<T> value) { WriteBytes(packer, BytesOf(value)); }
  static bool Read(const msgpack::object& value, std::span<T>* out, Mismatch* mismatch) requires std::is_const_v<T> {
    std::string_view bytes;
    return ReadBytes<std::span<T>>(value, msgpack::type::BIN, &bytes, mismatch) && SetBytes(out, bytes);
  }
};

}  // namespace poold::codec
