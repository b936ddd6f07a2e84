// Holds: how a reader of a payload in an arena keeps the payload beyond the daemon's promise.
//
// A hold is a shared lock (F_OFD_SETLK) on the slot's first byte in the arena's file, of a file description that the
// reader has opened for itself. So a hold needs no word that other processes may write, costs one system call, and ends
// with its process, however that ends. A slot that is held counts as used: its maker does not write there, and its
// memory is not given back.
//
// A reader takes its hold first and then looks at the slot's word; a maker takes the word first and then looks for
// holds: one of the two sees the other. Makers that look say so (ArenaHead::heeds_holds); in other arenas a hold has no
// effect.
// Threads: thread-safe system calls. No function blocks.
#pragma once

#include <cstdint>

#include "wire/arena.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// Opens the arena of a descriptor anew, with a file description of its own. None: the system does not allow that.
UniqueFd OpenForHolds(int fd);

// Holds a slot. False: the slot cannot be held. Holds do not add up: one LetGo ends them. REQUIRES: OpenForHolds made
// `fd`.
bool Hold(int fd, const ArenaShape& shape, std::uint32_t slot);
// Ends the hold of `fd` on the slot.
void LetGo(int fd, const ArenaShape& shape, std::uint32_t slot);

// Whether any process holds this slot, by whatever file description.
bool IsHeld(int fd, const ArenaShape& shape, std::uint32_t slot);
// Whether any slot is held.
bool IsHeld(int fd, const ArenaShape& shape);

}  // namespace poold::wire
