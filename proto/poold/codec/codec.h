// MessagePack in both directions: a client writes arguments that a worker reads, and a worker writes results that a
// client reads.
//
// Performance: as write.h and parse.h say.
// Threads: pure functions, safe from any thread.
// Errors: INVALID_ARGUMENT in words for people. The only exception that leaves is TooLong (write.h).
// Example:
//   const std::string bytes = codec::Encode(std::vector<int>{1, 2});
//   absl::StatusOr<std::vector<int>> list = codec::Decode<std::vector<int>>(bytes);
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "poold/codec/parse.h"
#include "poold/codec/read.h"
#include "poold/codec/write.h"

namespace poold::codec {

// As DecodeBy, with VisitValue.
template <typename T>
absl::StatusOr<T> Decode(std::string_view bytes) {
  return DecodeBy<T>([](std::string_view value, auto&& visit) { return VisitValue(value, visit); }, bytes);
}

}  // namespace poold::codec
