// Unnamed files in memory (memfd_create), the base of sealed files and arenas. Several processes can map such a file,
// and the file takes memory as it is written.
//
// Errors: RESOURCE_EXHAUSTED, with the system's words.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// Makes a file of so many zero bytes. `name` is for errors, and for people who look at the process's descriptors. Also
// refuses a size above the limit of file sizes, which would cost the process a signal.
absl::StatusOr<UniqueFd> MakeMemoryFile(const char* name, std::uint64_t bytes);

// Checks a file of another process. INVALID_ARGUMENT: its pages are not tmpfs's, as those of MFD_HUGETLB, so that
// touching a missing page raises SIGBUS. Call after checking the seals: a file with seals does not block.
absl::Status CheckMemoryFile(int fd);

// Adds seals for ever: fcntl(F_ADD_SEALS).
absl::Status SealMemoryFile(int fd, int seals);

}  // namespace poold::wire
