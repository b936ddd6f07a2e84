// MessagePack, read: C++ values from bytes, given a function that parses the bytes.
//
// Performance: reading refers to texts and bytes in place, and allocates only what the C++ value allocates.
// Threads: pure functions, safe from any thread.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/codec/convert.h"
#include "poold/codec/mismatch.h"
#include "poold/codec/scalars.h"
#include "poold/codec/travels.h"

namespace poold::codec {

// Reads the one value of `bytes` as a T. `parse` is VisitValue (parse.h), or a function that calls it.
// INVALID_ARGUMENT: malformed, or a value that is no T ("wanted int32, given string at [3].name"). A type that cannot
// travel does not compile.
template <typename T, typename Parse>
absl::StatusOr<T> DecodeBy(Parse&& parse, std::string_view bytes) {
  static_assert(kReadable<T>,
                "poold: a value of this type cannot travel. Give a struct POOLD_FIELDS(Type, its fields...) behind it, "
                "and a constructor without arguments.");
  if constexpr (!kReadable<T>) return absl::InternalError("");
  T value{};
  if constexpr (kIsScalar<T>) {
    if (ReadOnly(bytes, &value)) return value;
  }
  Mismatch mismatch;
  bool read = false;
  const absl::Status parsed =
      parse(bytes, [&](const msgpack::object& object) { read = Convert<T>::Read(object, &value, &mismatch); });
  if (!parsed.ok()) return parsed;
  if (!read) return absl::InvalidArgumentError(mismatch.Text());
  return value;
}

}  // namespace poold::codec
