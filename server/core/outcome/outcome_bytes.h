// What outcomes are counted with.
#pragma once

#include <cstdint>

#include "core/types.h"

namespace poold::core {

// Counted for each kept outcome, and for each block of items, beside its bytes.
inline constexpr std::uint64_t kOutcomeOverhead = 256;
// Counted for each item's arguments that are kept beside its outcome.
inline constexpr std::uint64_t kArgumentsOverhead = 96;

std::uint64_t BytesOf(const Outcome& outcome);
std::uint64_t BytesOf(const ItemBlock& block);

}  // namespace poold::core
