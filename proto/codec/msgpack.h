// MessagePack's library, without Boost.
#pragma once

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif

#include <bit>
#include <cstdint>
#include <msgpack.hpp>
#include <string>

namespace poold::codec {

// Where the packer writes. Does not own the string.
struct StringSink {
  std::string* out;
  void write(const char* bytes, std::size_t size) { out->append(bytes, size); }
};
using Packer = msgpack::packer<StringSink>;

// Type byte and number, the highest byte first.
template <typename Bits>
void AppendBigEndian(std::string* out, char type, Bits bits) {
  char bytes[1 + sizeof(Bits)] = {type};
  for (std::size_t i = 0; i < sizeof(Bits); ++i) bytes[sizeof(Bits) - i] = static_cast<char>(bits >> (8 * i));
  out->append(bytes, sizeof bytes);
}

}  // namespace poold::codec

// The library writes 7.0 as the integer 7, and -0.0 as 0: it saves bytes and loses what the value is. Ours keeps type
// and bits of every float, whoever packs it (also MSGPACK_DEFINE).
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
