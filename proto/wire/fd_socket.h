// Bytes and descriptors through a Unix socket. For blocking and non-blocking sockets.
//
// Errors: UNAVAILABLE with the system's words when the peer is gone.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// How many descriptors one Receive takes at most; more are closed by the kernel and are an error.
inline constexpr std::size_t kMaxDescriptors = 16;

struct Received {
  std::size_t bytes = 0;
  // The peer has closed its end.
  bool end_of_file = false;
  // There is nothing now, and it was not to wait. Neither this nor end_of_file: there are bytes.
  bool would_block = false;
  // Descriptors came along, and this process could not take some: it has no room for more. The bytes are there.
  bool lost_descriptors = false;
};

enum class Patience { kWait, kNoWait };

// Reads once. Descriptors that come along are appended to `descriptors`, close-on-exec; null: any that come are closed.
// kNoWait: as if the socket were non-blocking.
absl::StatusOr<Received> Receive(int socket, char* into, std::size_t bytes,
                                 std::vector<UniqueFd>* descriptors = nullptr, Patience patience = Patience::kWait);

// Writes all, the descriptors with the first byte; waits where a non-blocking socket is full. Raises no SIGPIPE.
// kNoWait: UNAVAILABLE when the socket is full, and nobody knows how much was written.
absl::Status SendAll(int socket, std::string_view bytes, absl::Span<const int> descriptors = {},
                     Patience patience = Patience::kWait);

}  // namespace poold::wire
