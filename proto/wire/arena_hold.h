// How who reads a payload in an arena keeps it there beyond the daemon's word for it: a hold on its slot.
//
// A hold is a shared lock (F_OFD_SETLK) on the slot's first byte in the arena's file, of a file description that the
// reader has opened for itself. So it needs no word that others may write, costs one system call, and goes with its
// process, however that ends. What is held counts as used: its maker writes nothing there, and its memory is not given
// back.
//
// A reader takes its hold first and looks at the slot's word then; a maker takes the word first and looks for holds
// then: one of the two sees the other. Makers that do look say so (ArenaHead::heeds_holds); in other arenas a hold is
// worth nothing.
// Thread-safe: system calls. None of it blocks.
#pragma once

#include <cstdint>

#include "wire/arena.h"
#include "wire/unique_fd.h"

namespace poold::wire {

// The arena behind a descriptor that others may have, too, with a file description of its own. None: the system does
// not allow it.
UniqueFd OpenForHolds(int fd);

// REQUIRES: `fd` came from OpenForHolds. False: it cannot be held. Holds do not add up: one LetGo ends it.
bool Hold(int fd, const ArenaShape& shape, std::uint32_t slot);
void LetGo(int fd, const ArenaShape& shape, std::uint32_t slot);

// Whether anybody holds this slot, or any; by whatever descriptor.
bool IsHeld(int fd, const ArenaShape& shape, std::uint32_t slot);
bool IsHeld(int fd, const ArenaShape& shape);

}  // namespace poold::wire
