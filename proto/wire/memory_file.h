// Unnamed files in memory (memfd_create), the base of arenas; and sealed ones, which no process can change any more.
// Several processes can map such a file, and the file takes memory as it is written.
//
// Two processes that do not trust each other hand over a sealed file in place of bytes: the receiver can rely on its
// size and content. Performance: writing 64 MiB into a sealed file takes about 8 ms where the kernel gathers huge pages
// (MADV_COLLAPSE, Linux 6.1), and
//   three times that elsewhere. The receiver's mapping costs nothing then.
// Threads: thread-safe system calls. Errors: RESOURCE_EXHAUSTED, with the system's words.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wire/pieces.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// Whether a file of this process may have so many bytes (RLIMIT_FSIZE). A write beyond the limit raises SIGXFSZ, in
// memory files too.
inline bool FileMayHave(std::uint64_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

// Makes a file of so many zero bytes. `name` is for errors, and for people who look at the process's descriptors. Also
// refuses a size above the limit of file sizes, which would cost the process a signal.
absl::StatusOr<UniqueFd> MakeMemoryFile(const char* name, std::uint64_t bytes);

// Checks a file of another process. INVALID_ARGUMENT: its pages are not tmpfs's, as those of MFD_HUGETLB, so that
// touching a missing page raises SIGBUS. Call after checking the seals: a file with seals does not block.
absl::Status CheckMemoryFile(int fd);

// Adds seals for ever: fcntl(F_ADD_SEALS).
absl::Status SealMemoryFile(int fd, int seals);

// Makes a sealed copy of the bytes. RESOURCE_EXHAUSTED: there is no memory for the copy, or a limit of file sizes
// forbids it.
absl::StatusOr<UniqueFd> MakeSealedFile(std::string_view bytes);
absl::StatusOr<UniqueFd> MakeSealedFile(const Pieces& bytes);

// OK: the file is sealed, its memory is tmpfs, and it has exactly `bytes` bytes, so that it can be mapped and read
// safely. INVALID_ARGUMENT says what is wrong.
absl::Status CheckSealedFile(int fd, std::uint64_t bytes);

}  // namespace poold::wire
