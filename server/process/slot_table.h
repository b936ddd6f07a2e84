// SlotTable: the attempts that were sent to one worker, by claim slot, and the progress of each.
//
// Role: the daemon's own record of the slots of a claim page. Non-role: reads nothing from the page.
// Threads: guarded by the mutex of its WorkerChannel. Bounds: wire::kClaimSlots slots.
// Costs: each call is O(1), but ByToken and ForEach, which walk the slots that live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/spool.h"
#include "core/types.h"
#include "wire/worker_page.h"

namespace poold::process {

// A live slot holds one attempt: of a task, or of a chunk of a map.
struct Slot {
  core::AttemptToken token{};
  // The slot's place in the table.
  std::uint16_t index = 0;
  // The worker's name for the attempt: index and sequence (wire/worker_page.h).
  std::uint32_t ticket = 0;
  // The function's place in the worker's list of functions.
  std::uint32_t function = 0;
  // The number of the attempt, from 1.
  std::uint32_t attempt = 1;
  // Items that may run here: those that were offered without those that were taken back.
  std::uint32_t items = 1;
  // Items whose outcome has come.
  std::uint32_t done = 0;
  // The attempt is of a chunk of a map.
  bool chunk = false;
  // The slot is in use: everything else in it is valid.
  bool live = false;
  // The neighbours among live slots, in the order of dispatch.
  Slot* older = nullptr;
  Slot* newer = nullptr;
  // Keeps arguments in shared memory as they are for as long as the task may run here, also when nobody else wants it.
  std::shared_ptr<const void> shared_args;
  // core::Assignment::carried, for the log; null: nothing is carried.
  std::shared_ptr<const core::TaskOptions> carried;
  // The fragments of the result that is under way; null: none came.
  std::unique_ptr<base::PayloadDraft> draft;
  // The reason, for people, for which that result is refused: its further fragments are dropped, and the item fails.
  // "": it is taken.
  std::string refusal;
};

class SlotTable {
 public:
  std::size_t live() const { return slots_.size() - free_.size(); }
  std::size_t live_chunks() const { return live_chunks_; }
  bool full() const { return live() == wire::kClaimSlots; }
  // Makes a free slot the newest live one, and returns its index. REQUIRES: !full().
  std::uint16_t Take(bool chunk);
  // A slot. Its address is valid until the table goes.
  Slot& at(std::uint16_t index) { return slots_[index]; }
  // Frees a slot and everything that it keeps. REQUIRES: the slot is live.
  void Free(Slot* slot);

  // The live slot of a ticket. Null: there is none (any more).
  Slot* ByTicket(std::uint32_t ticket);
  // The live slot of an attempt. Null: there is none. Looks at the newest slots first, because work that is taken back
  // was sent last.
  Slot* ByToken(core::AttemptToken token);
  // The live slot that was dispatched first. Null: there is none.
  Slot* Oldest() { return oldest_; }
  // Visits all live slots, the oldest first.
  template <typename Visit>
  void ForEach(Visit&& visit) {
    for (Slot* slot = oldest_; slot != nullptr; slot = slot->newer) visit(*slot);
  }

 private:
  void Append(Slot* slot);
  void Unlink(Slot* slot);

  // As many slots as were ever live at once.
  std::deque<Slot> slots_;
  // Indexes of slots that are not live; the last one is taken next.
  std::vector<std::uint16_t> free_;
  std::size_t live_chunks_ = 0;
  // The ends of the list of live slots; null: none lives.
  Slot* oldest_ = nullptr;
  Slot* newest_ = nullptr;
};

}  // namespace poold::process
