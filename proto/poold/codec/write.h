// MessagePack, written: what a client's arguments and a worker's results become.
//
// Performance: writing appends to a string.
// Threads: pure functions, safe from any thread.
// Errors: a type that cannot travel does not compile. Throws TooLong for a text or bytes of 4 GiB and more, and for a
//   list or a map of 2^32 elements and more.
// Example:
//   const std::string bytes = codec::Encode(std::vector<int>{1, 2});
#pragma once

#include <string>
#include <type_traits>

#include "poold/codec/containers.h"
#include "poold/codec/convert.h"
#include "poold/codec/scalars.h"
#include "poold/codec/structs.h"
#include "poold/codec/times.h"
#include "poold/codec/travels.h"
#include "poold/codec/variant.h"

namespace poold::codec {

// The type that travels for an argument: literals are text.
template <typename T>
using Plain = std::decay_t<const T&>;

// Appends one value. A type that cannot travel does not compile.
template <typename T>
void Append(std::string* out, const T& value) {
  static_assert(kWritable<Plain<T>>,
                "poold: a value of this type cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) behind "
                "it.");
  if constexpr (kIsScalar<Plain<T>>) {
    AppendScalar(out, value);
  } else if constexpr (kWritable<Plain<T>>) {
    StringSink sink{out};
    Packer packer(sink);
    Convert<Plain<T>>::Write(packer, value);
  }
}

// Appends arguments: one array with one element for each.
template <typename... Args>
void AppendArguments(std::string* out, const Args&... args) {
  StringSink sink{out};
  Packer packer(sink);
  packer.pack_array(sizeof...(Args));
  (Append(out, args), ...);
}

// One value as MessagePack.
template <typename T>
std::string Encode(const T& value) {
  std::string out;
  Append(&out, value);
  return out;
}

// Arguments as MessagePack.
template <typename... Args>
std::string EncodeArguments(const Args&... args) {
  std::string out;
  AppendArguments(&out, args...);
  return out;
}

}  // namespace poold::codec
