// MessagePack's library, without Boost.
#pragma once

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif

#include <msgpack.hpp>
#include <string>

namespace poold::codec {

// Where the packer writes. Does not own the string.
struct StringSink {
  std::string* out;
  void write(const char* bytes, std::size_t size) { out->append(bytes, size); }
};
using Packer = msgpack::packer<StringSink>;

}  // namespace poold::codec
