// Bytes and BytesView: raw bytes as a value.
//
// As the only argument, or as the result, Bytes travel as they are (ENCODING_RAW); among other values as MessagePack's
// "bin", which Python shows as bytes. A std::string is text.
#pragma once

#include <string>
#include <string_view>

namespace poold {

// Owns the bytes. A plain value.
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

// Travels as Bytes do, and refers to the bytes. As an argument, as a function's parameter (valid until the function
// returns) and as a function's result (read at once when the function has returned).
struct BytesView {
  std::string_view data;
  friend bool operator==(const BytesView&, const BytesView&) = default;
};

}  // namespace poold
