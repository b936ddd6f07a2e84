// Sealed memory: an unnamed file in memory (memfd_create) that nobody can change any more. What two processes that do
// not trust each other hand over in place of bytes: who maps it can rely on its size and its content.
//
// Performance: 64 MiB are written in about 8 ms where the kernel gathers huge pages (MADV_COLLAPSE, Linux 6.1), three
// times that where not; the receiver's mapping is free then.
// Errors: the system's words.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "wire/pieces.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// Holds a copy of `bytes`. RESOURCE_EXHAUSTED: there is no memory for it, or a limit of file sizes forbids it.
absl::StatusOr<UniqueFd> MakeSealedFile(std::string_view bytes);
absl::StatusOr<UniqueFd> MakeSealedFile(const Pieces& bytes);

// OK: it is sealed, its memory is tmpfs, and it has exactly `bytes` bytes, so it can be mapped and read without fear.
// INVALID_ARGUMENT: what is wrong with it.
absl::Status CheckSealedFile(int fd, std::uint64_t bytes);

}  // namespace poold::wire
