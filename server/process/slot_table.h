// What was sent ahead to one worker: which attempt lies in which claim slot, and how far it is.
//
// Not thread-safe: guarded by the channel's mutex. Knows nothing of the shared page, and trusts nothing from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/payload_draft.h"
#include "core/types.h"
#include "wire/worker_page.h"

namespace poold::process {

struct Slot {
  core::AttemptToken token{};
  std::uint16_t index = 0;  // of the table
  std::uint32_t ticket = 0;
  std::uint32_t function = 0;
  std::uint32_t attempt = 1;
  std::uint32_t items = 1;  // that may run here: what was offered without what came back
  std::uint32_t done = 0;   // of which we have the outcome
  bool chunk = false;
  bool live = false;
  // Those that live, in the order of dispatch.
  Slot* older = nullptr;
  Slot* newer = nullptr;
  // Keeps arguments in shared memory as they are for as long as the task may run here, also when nobody else wants it.
  std::shared_ptr<const void> shared_args;
  // Of the result that is under way: its fragments; why it is not taken, then what comes of it is dropped.
  std::unique_ptr<base::PayloadDraft> draft;
  std::string refusal;
};

class SlotTable {
 public:
  std::size_t live() const { return slots_.size() - free_.size(); }
  std::size_t live_chunks() const { return live_chunks_; }
  bool full() const { return live() == wire::kClaimSlots; }
  // The index of a free slot, which is now live. REQUIRES: !full().
  std::uint16_t Take(bool chunk);
  Slot& at(std::uint16_t index) { return slots_[index]; }
  void Free(Slot* slot);

  // Null for what is not (or no longer) there.
  Slot* ByTicket(std::uint32_t ticket);
  // Looks at the newest first: what is taken back was sent last.
  Slot* ByToken(core::AttemptToken token);
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
