// Bytes whose memory is counted as long as anybody keeps a part of them.
//
// Thread-safe as core::Bytes is.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/memory_budget.h"
#include "base/quota.h"
#include "core/bytes.h"

namespace poold::rpc {

// What a column of items takes beside its bytes and lengths.
inline constexpr std::uint64_t kColumnBytes = 256;

core::Bytes CountedBytes(std::string text, base::Reservation taken);

// What came as arguments of tasks or items. `beside`: what else is kept for them. Few bytes count nothing.
// Errors: RESOURCE_EXHAUSTED (QUEUE_FULL), with a time to try again: the memory for arguments is in use.
absl::StatusOr<core::Bytes> CountArguments(std::string text, std::uint64_t beside, const base::MemoryBudget& memory);
// The same of large ones that have an owner, who stays.
absl::StatusOr<core::Bytes> CountArguments(core::Bytes bytes, const base::MemoryBudget& memory);

}  // namespace poold::rpc
