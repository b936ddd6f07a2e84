// Mismatch: why a value did not decode: what was wanted, what was given, and where inside the value.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "poold/codec/msgpack.h"

namespace poold::codec {

// Filled by Convert<T>::Read where it returns false. A plain value.
struct Mismatch {
  // The type that was wanted, in words.
  std::string wanted;
  // The value that was there, in words.
  std::string given;
  // The place inside the value, as "[3].name"; empty: the value itself.
  std::string place;
  // An input: Read takes only the form in which the type itself is written, and converts nothing.
  bool exact = false;

  // "wanted int32, given string"; with a place "wanted int32, given string at [3].name".
  std::string Text() const { return "wanted " + wanted + ", given " + given + (place.empty() ? "" : " at " + place); }
  // Puts `outer` before the place, for a reader of nested values on its way out. Returns false, so that the reader can
  // return the result.
  bool Inside(std::string_view outer) {
    place.insert(0, outer);
    return false;
  }
};

// The shortest text that only this number has.
inline std::string FloatText(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// The value in words: "integer 300", "string", "array of 2".
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
