// Raw bytes as a value. As the only argument, or as the result, they travel as they are (ENCODING_RAW); among other
// values as MessagePack's "bin", which Python shows as bytes. A std::string is text.
#pragma once

#include <string>
#include <string_view>

namespace poold {

struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

// The same where they lie: travels as Bytes do, and owns nothing. As an argument, as a function's parameter (valid
// until the function returns) and as its result (read at once when it has returned).
struct BytesView {
  std::string_view data;
  friend bool operator==(const BytesView&, const BytesView&) = default;
};

}  // namespace poold
