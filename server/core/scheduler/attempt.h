// What workers have of tasks and maps, and the tokens by which they name it.
//
// A worker's list (Worker::sent) holds tasks and chunks. Each time one is sent it gets a token that no other attempt
// has; an answer that names an old one is dropped.
#pragma once

#include <cstdint>

#include "core/handles.h"

namespace poold::core {

// A token: a number that no other attempt has, whether it is of a chunk, and the slot of the task or chunk.
constexpr std::uint64_t kTokenSlotBits = 28;
constexpr std::uint64_t MakeToken(std::uint32_t slot, bool chunk, std::uint64_t number) {
  return number << (kTokenSlotBits + 1) | std::uint64_t{chunk} << kTokenSlotBits | slot;
}
constexpr std::uint32_t TokenSlot(AttemptToken token) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(token) & ((1u << kTokenSlotBits) - 1));
}
constexpr bool IsChunkToken(AttemptToken token) {
  return (static_cast<std::uint64_t>(token) >> kTokenSlotBits & 1) != 0;
}

}  // namespace poold::core
