// What was sent ahead to one worker: which attempt lies in which claim slot, and how far it is.
//
// Not thread-safe: guarded by the channel's mutex. Knows nothing of the shared page, and trusts nothing from it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/payload_draft.h"
#include "core/types.h"
#include "wire/worker_page.h"

namespace poold::process {

struct Slot {
  core::AttemptToken token{};
  std::uint64_t order = 0;  // of dispatch: the lowest is the oldest
  std::uint32_t ticket = 0;
  std::uint32_t function = 0;
  std::uint32_t attempt = 1;
  std::uint32_t items = 1;  // that may run here: what was offered without what came back
  std::uint32_t done = 0;   // of which we have the outcome
  bool chunk = false;
  bool live = false;
  // Keeps arguments in shared memory as they are for as long as the task may run here, also when nobody else wants it.
  std::shared_ptr<const void> shared_args;
  // Of the result that is under way: its fragments; why it is not taken, then what comes of it is dropped.
  std::unique_ptr<base::PayloadDraft> draft;
  std::string refusal;
};

class SlotTable {
 public:
  SlotTable();

  std::size_t live() const { return wire::kClaimSlots - free_.size(); }
  std::size_t live_chunks() const { return live_chunks_; }
  bool full() const { return free_.empty(); }
  // The index of a free slot, which is now live. REQUIRES: !full().
  std::uint16_t Take(bool chunk);
  Slot& at(std::uint16_t index) { return slots_[index]; }
  void Free(Slot* slot);

  // Null for what is not (or no longer) there.
  Slot* ByTicket(std::uint32_t ticket);
  Slot* ByToken(core::AttemptToken token);
  Slot* Oldest();
  // All that live, in no order.
  template <typename Visit>
  void ForEach(Visit&& visit) {
    for (Slot& slot : slots_) {
      if (slot.live) visit(slot);
    }
  }

 private:
  std::array<Slot, wire::kClaimSlots> slots_;
  std::vector<std::uint16_t> free_;
  std::size_t live_chunks_ = 0;
  std::uint64_t next_order_ = 1;
};

}  // namespace poold::process
