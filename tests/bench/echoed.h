// What every driver sends to see it come back.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

namespace poold::bench {

inline std::string EchoPayload(std::size_t bytes) { return std::string(bytes, 'p'); }

// All of it, byte for byte, read once.
inline bool IsEchoPayload(std::string_view back, std::size_t bytes) {
  if (back.size() != bytes || bytes == 0) return back.size() == bytes;
  return back.front() == 'p' && std::memcmp(back.data(), back.data() + 1, bytes - 1) == 0;
}

}  // namespace poold::bench
