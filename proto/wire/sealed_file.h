// Sealed files: unnamed files in memory (memfd_create) that no process can change any more. Two processes that do not
// trust each other hand over such a file in place of bytes: the receiver can rely on its size and content.
//
// Performance: writing 64 MiB takes about 8 ms where the kernel gathers huge pages (MADV_COLLAPSE, Linux 6.1), and
//   three times that elsewhere. The receiver's mapping costs nothing then.
// Errors: the system's words.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wire/pieces.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// Makes a sealed copy of the bytes. RESOURCE_EXHAUSTED: there is no memory for the copy, or a limit of file sizes
// forbids it.
absl::StatusOr<UniqueFd> MakeSealedFile(std::string_view bytes);
absl::StatusOr<UniqueFd> MakeSealedFile(const Pieces& bytes);

// OK: the file is sealed, its memory is tmpfs, and it has exactly `bytes` bytes, so that it can be mapped and read
// safely. INVALID_ARGUMENT says what is wrong.
absl::Status CheckSealedFile(int fd, std::uint64_t bytes);

}  // namespace poold::wire
