// An unnamed file in memory (memfd_create), which sealed files and arenas are: it can be mapped by several processes,
// and takes memory as it is written.
//
// Errors: RESOURCE_EXHAUSTED, with the system's words.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// One of so many bytes, all of them zero. `name` is for errors, and for who looks at the process's descriptors. Says
// also where a limit of file sizes forbids it, which would cost the process a signal.
absl::StatusOr<UniqueFd> MakeMemoryFile(const char* name, std::uint64_t bytes);

// What another process hands over as one. INVALID_ARGUMENT: its pages come from somewhere else than tmpfs, as those of
// MFD_HUGETLB do, and who touches one that is not there dies of SIGBUS. Asked after the seals: where there are some, it
// does not block.
absl::Status CheckMemoryFile(int fd);

// For good: fcntl(F_ADD_SEALS).
absl::Status SealMemoryFile(int fd, int seals);

}  // namespace poold::wire
