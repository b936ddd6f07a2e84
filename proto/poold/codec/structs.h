// Conversion of structs: with POOLD_FIELDS (fields.h), or the library's own macros.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "poold/codec/convert.h"
#include "poold/codec/fields.h"

namespace poold::codec {

// A visitor that does nothing, to find out whether a type has fields.
struct AnyField {
  template <typename Field>
  void operator()(const char*, Field&) const {}
};
// Structs with POOLD_FIELDS.
template <typename T>
concept HasFields = std::is_class_v<T> && requires(T& value) {
  PooldVisitFields(value, AnyField());
};

// Written as a map; read from a map, or from an array with all fields in order.
template <HasFields T>
struct Convert<T> {
  // "map or array of the fields {x, y}".
  static std::string Name() {
    std::string names;
    T value{};
    PooldVisitFields(value, [&](const char* name, auto&) { names += (names.empty() ? "" : ", ") + std::string(name); });
    return "map or array of the fields {" + names + "}";
  }
  static void Write(Packer& packer, const T& value) {
    packer.pack_map(Count(value));
    PooldVisitFields(value, [&]<typename F>(const char* name, const F& field) {
      WriteText(packer, name);
      Convert<F>::Write(packer, field);
    });
  }
  // A mismatch names the field: ".name". With mismatch->exact only a map with exactly the fields' names is taken.
  static bool Read(const msgpack::object& value, T* out, Mismatch* mismatch) {
    const bool is_map = value.type == msgpack::type::MAP;
    if (!is_map && (value.type != msgpack::type::ARRAY || value.via.array.size != Count(*out))) {
      return Refuse<T>(value, mismatch);
    }
    if (mismatch->exact && !HasJustTheFields(value, *out)) return Refuse<T>(value, mismatch);
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
  // The number of fields.
  static std::uint32_t Count(const T& value) {
    std::uint32_t count = 0;
    PooldVisitFields(value, [&](const char*, const auto&) { ++count; });
    return count;
  }
  // Whether the value is a map with exactly the fields' names.
  static bool HasJustTheFields(const msgpack::object& value, const T& fields) {
    if (value.type != msgpack::type::MAP || value.via.map.size != Count(fields)) return false;
    bool all = true;
    PooldVisitFields(fields, [&](const char* name, const auto&) { all = all && Find(value, name) != nullptr; });
    return all;
  }
  // The value of a name. Null: the map has none.
  static const msgpack::object* Find(const msgpack::object& map, std::string_view name) {
    for (std::uint32_t i = 0; i < map.via.map.size; ++i) {
      const msgpack::object& key = KeyAt(map, i);
      if (key.type == msgpack::type::STR && std::string_view(key.via.str.ptr, key.via.str.size) == name) {
        return &ValueAt(map, i);
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
  // Calls the library's macros, which decide about the form.
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
