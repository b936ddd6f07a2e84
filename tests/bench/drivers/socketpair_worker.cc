#include <unistd.h>

#include <cstring>

#include "drivers/socketpair_frame.h"
#include "drivers/socketpair_pool.h"
#include "transfer.h"
#include "work.h"

namespace poold::bench {

bool WriteFrame(int fd, Request request, const void* bytes, std::size_t size) {
  const FrameHeader header{request, static_cast<std::uint32_t>(size)};
  // Small ones in one write, as any pool would.
  constexpr std::size_t kTogether = 32 << 10;
  char buffer[sizeof header + kTogether];
  std::memcpy(buffer, &header, sizeof header);
  if (size <= kTogether) {
    std::memcpy(buffer + sizeof header, bytes, size);
    return WriteAll(fd, {buffer, sizeof header + size});
  }
  return WriteAll(fd, {buffer, sizeof header}) && WriteAll(fd, {static_cast<const char*>(bytes), size});
}

bool ReadFrame(int fd, Request* request, std::string* bytes) {
  FrameHeader header;
  if (!ReadAll(fd, &header, sizeof header)) return false;
  *request = header.request;
  bytes->resize(header.bytes);
  return ReadAll(fd, bytes->data(), bytes->size());
}

namespace {

void Square(std::string* bytes) {
  for (std::size_t at = 0; at < bytes->size(); at += sizeof(std::uint32_t)) {
    std::uint32_t number;
    std::memcpy(&number, bytes->data() + at, sizeof number);
    number *= number;
    std::memcpy(bytes->data() + at, &number, sizeof number);
  }
}

void Compute(std::string* bytes) {
  const std::uint32_t items = static_cast<std::uint32_t>(bytes->size() / sizeof(std::uint32_t));
  for (std::uint32_t i = 0; i < items; ++i) {
    std::uint32_t steps;
    std::memcpy(&steps, bytes->data() + i * sizeof steps, sizeof steps);
    Work(steps);
  }
  bytes->assign(reinterpret_cast<const char*>(&items), sizeof items);
}

}  // namespace

int WorkAtSocketpair(const std::vector<std::string>& arguments) {
  Request request;
  std::string bytes;
  while (ReadFrame(STDIN_FILENO, &request, &bytes)) {
    if (request == Request::kSquare) Square(&bytes);
    if (request == Request::kWork) Compute(&bytes);
    if (!WriteFrame(STDIN_FILENO, request, bytes.data(), bytes.size())) return 1;
  }
  return 0;
}

}  // namespace poold::bench
