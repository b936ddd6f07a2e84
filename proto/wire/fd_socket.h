// Bytes and descriptors through a Unix socket, blocking or not.
//
// Threads: system calls; each end of a socket is used by one thread at a time.
// Errors: UNAVAILABLE with the system's words, where the peer is gone.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// The most descriptors of one Receive. The kernel closes further ones, and Receive answers INVALID_ARGUMENT.
inline constexpr std::size_t kMaxDescriptors = 16;

// The result of one read: bytes, or one of the first two flags.
struct Received {
  // Bytes that were read.
  std::size_t bytes = 0;
  // The peer has closed its end.
  bool end_of_file = false;
  // Nothing has come, and the call was not to wait.
  bool would_block = false;
  // Descriptors came along that this process has no room for. The bytes are there.
  bool lost_descriptors = false;
};

// Whether a call waits for the socket.
enum class Patience { kWait, kNoWait };

// Reads once. Appends descriptors that come along to `descriptors`, close-on-exec; with null they are closed. kNoWait:
// does not block, as with a non-blocking socket.
absl::StatusOr<Received> Receive(int socket, char* into, std::size_t bytes,
                                 std::vector<UniqueFd>* descriptors = nullptr, Patience patience = Patience::kWait);

// Writes all bytes, the descriptors with the first byte. Waits while a non-blocking socket is full; kNoWait:
// UNAVAILABLE when the socket is full, and the number of bytes that were written is not known. Raises no SIGPIPE.
absl::Status SendAll(int socket, std::string_view bytes, absl::Span<const int> descriptors = {},
                     Patience patience = Patience::kWait);

}  // namespace poold::wire
