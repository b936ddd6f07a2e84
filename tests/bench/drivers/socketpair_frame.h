// What goes through the socketpairs: a header, then its bytes.
#pragma once

#include <cstdint>
#include <string>

namespace poold::bench {

enum class Request : std::uint32_t {
  kEcho,    // answers the same bytes
  kSquare,  // of 32-bit numbers: answers their squares
  kWork,    // of 32-bit numbers: computes so many steps for each; answers how many items that were
};

struct FrameHeader {
  Request request = Request::kEcho;
  std::uint32_t bytes = 0;
};

// False: the other end is gone. `bytes` is reused.
bool WriteFrame(int fd, Request request, const void* bytes, std::size_t size);
bool ReadFrame(int fd, Request* request, std::string* bytes);

}  // namespace poold::bench
