// Raw bytes as a value. As the only argument, or as the result, they travel as they are (ENCODING_RAW); among other
// values as MessagePack's "bin", which Python shows as bytes. A std::string is text.
#pragma once

#include <string>

namespace poold {

struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

}  // namespace poold
