// The parts of the MessagePack library that show and write values: without Boost, and with floats that keep their type
// and bits. parse.h has the part that reads bytes, which takes long to compile.
#pragma once

#ifndef MSGPACK_NO_BOOST
// The library's headers must not need Boost.
#define MSGPACK_NO_BOOST
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <msgpack/object_fwd.hpp>
#include <msgpack/pack.hpp>
#include <string>

namespace poold::codec {

// The packer's output. Does not own the string.
struct StringSink {
  std::string* out;
  void write(const char* bytes, std::size_t size) { out->append(bytes, size); }
};
// Appends MessagePack values to a string.
using Packer = msgpack::packer<StringSink>;

// The key and the value of entry `i` of a map. The library defines the type of entries, a pair of values, only where it
// reads (parse.h checks that the entries are such pairs). REQUIRES: `map` is a map of more than `i` entries.
inline const msgpack::object& KeyAt(const msgpack::object& map, std::size_t i) {
  return reinterpret_cast<const msgpack::object*>(map.via.map.ptr)[2 * i];
}
inline const msgpack::object& ValueAt(const msgpack::object& map, std::size_t i) {
  return reinterpret_cast<const msgpack::object*>(map.via.map.ptr)[2 * i + 1];
}

// Appends a type byte and a number, the highest byte first.
template <typename Bits>
void AppendBigEndian(std::string* out, char type, Bits bits) {
  char bytes[1 + sizeof(Bits)] = {type};
  for (std::size_t i = 0; i < sizeof(Bits); ++i) bytes[sizeof(Bits) - i] = static_cast<char>(bits >> (8 * i));
  out->append(bytes, sizeof bytes);
}

}  // namespace poold::codec

// The library writes 7.0 as the integer 7, and -0.0 as 0: that saves bytes and loses the type. This one keeps type and
// bits of every float, for every caller of the packer (also MSGPACK_DEFINE).
template <>
inline poold::codec::Packer& poold::codec::Packer::pack_float(float value) {
  poold::codec::AppendBigEndian(m_stream.out, '\xca', std::bit_cast<std::uint32_t>(value));
  return *this;
}
template <>
inline poold::codec::Packer& poold::codec::Packer::pack_double(double value) {
  poold::codec::AppendBigEndian(m_stream.out, '\xcb', std::bit_cast<std::uint64_t>(value));
  return *this;
}
