// Why a value did not decode: what was wanted, what was there, and where inside the value.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "codec/msgpack.h"

namespace poold::codec {

struct Mismatch {
  std::string wanted;
  std::string given;
  // "[3].name"; empty for the value itself.
  std::string place;
  // Asked before: only what the type itself would be written as is taken, nothing that converts.
  bool exact = false;

  // "wanted int32, given string"; with a place "wanted int32, given string at [3].name".
  std::string Text() const { return "wanted " + wanted + ", given " + given + (place.empty() ? "" : " at " + place); }
  // For a reader of nested values on the way out; false, for its convenience.
  bool Inside(std::string_view outer) {
    place.insert(0, outer);
    return false;
  }
};

// Shortest, and enough to tell it from its neighbours.
inline std::string FloatText(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// In words: "integer 300", "string", "array of 2".
inline std::string Describe(const msgpack::object& value) {
  switch (value.type) {
    case msgpack::type::NIL:
      return "nil";
    case msgpack::type::BOOLEAN:
      return value.via.boolean ? "true" : "false";
    case msgpack::type::POSITIVE_INTEGER:
      return "integer " + std::to_string(value.via.u64);
    case msgpack::type::NEGATIVE_INTEGER:
      return "integer " + std::to_string(value.via.i64);
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return "float " + FloatText(value.via.f64);
    case msgpack::type::STR:
      return "string";
    case msgpack::type::BIN:
      return "bytes";
    case msgpack::type::ARRAY:
      return "array of " + std::to_string(value.via.array.size);
    case msgpack::type::MAP:
      return "map of " + std::to_string(value.via.map.size);
    default:
      return "extension";
  }
}

}  // namespace poold::codec
