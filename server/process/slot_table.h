// The attempts that were sent ahead to one worker: which lies in which claim slot, and how far it is.
//
// Role: the daemon's own record of the slots of a claim page. Non-role: knows nothing of the page, and trusts nothing
// from it.
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
  std::uint16_t index = 0;     // of the table
  std::uint32_t ticket = 0;    // by which the worker names it: index and sequence (wire/worker_page.h)
  std::uint32_t function = 0;  // by its place in the worker's list of functions
  std::uint32_t attempt = 1;
  std::uint32_t items = 1;  // that may run here: what was offered without what came back
  std::uint32_t done = 0;   // of which we have the outcome
  bool chunk = false;
  bool live = false;
  // Its neighbours among live slots, in the order of dispatch.
  Slot* older = nullptr;
  Slot* newer = nullptr;
  // Keeps arguments in shared memory as they are for as long as the task may run here, also when nobody else wants it.
  std::shared_ptr<const void> shared_args;
  // The fragments of the result that is under way; null: none came.
  std::unique_ptr<base::PayloadDraft> draft;
  // Why that result is not taken, for people: what comes of it is dropped, and the item fails. "": it is taken.
  std::string refusal;
};

class SlotTable {
 public:
  std::size_t live() const { return slots_.size() - free_.size(); }
  std::size_t live_chunks() const { return live_chunks_; }
  bool full() const { return live() == wire::kClaimSlots; }
  // The index of a free slot, which is now live and the newest. REQUIRES: !full().
  std::uint16_t Take(bool chunk);
  // Stays where it is until the table goes.
  Slot& at(std::uint16_t index) { return slots_[index]; }
  // REQUIRES: it is live. Lets go of what it keeps.
  void Free(Slot* slot);

  // Null for what is not (or no longer) there.
  Slot* ByTicket(std::uint32_t ticket);
  // Looks at the newest first: what is taken back was sent last.
  Slot* ByToken(core::AttemptToken token);
  // Null: none lives.
  Slot* Oldest() { return oldest_; }
  // All that live, the oldest first.
  template <typename Visit>
  void ForEach(Visit&& visit) {
    for (Slot* slot = oldest_; slot != nullptr; slot = slot->newer) visit(*slot);
  }

 private:
  void Append(Slot* slot);
  void Unlink(Slot* slot);

  // As many as were ever live at once.
  std::deque<Slot> slots_;
  std::vector<std::uint16_t> free_;
  std::size_t live_chunks_ = 0;
  Slot* oldest_ = nullptr;
  Slot* newest_ = nullptr;
};

}  // namespace poold::process
