#include "process/slot_table.h"

namespace poold::process {

void SlotTable::Append(Slot* slot) {
  slot->older = newest_;
  slot->newer = nullptr;
  (newest_ != nullptr ? newest_->newer : oldest_) = slot;
  newest_ = slot;
}

void SlotTable::Unlink(Slot* slot) {
  (slot->older != nullptr ? slot->older->newer : oldest_) = slot->newer;
  (slot->newer != nullptr ? slot->newer->older : newest_) = slot->older;
}

std::uint16_t SlotTable::Take(bool chunk) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint16_t>(slots_.size()));
    slots_.emplace_back().index = free_.back();
  }
  Slot& slot = slots_[free_.back()];
  free_.pop_back();
  live_chunks_ += chunk;
  slot.live = true;
  slot.chunk = chunk;
  slot.done = 0;
  slot.refusal.clear();
  Append(&slot);
  return slot.index;
}

void SlotTable::Free(Slot* slot) {
  live_chunks_ -= slot->chunk;
  slot->live = false;
  slot->draft.reset();
  slot->shared_args.reset();
  slot->carried.reset();
  Unlink(slot);
  free_.push_back(slot->index);
}

Slot* SlotTable::ByTicket(std::uint32_t ticket) {
  const std::uint16_t index = wire::TicketSlot(ticket);
  if (index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  return slot.live && slot.ticket == ticket ? &slot : nullptr;
}

Slot* SlotTable::ByToken(core::AttemptToken token) {
  for (Slot* slot = newest_; slot != nullptr; slot = slot->older) {
    if (slot->token == token) return slot;
  }
  return nullptr;
}

}  // namespace poold::process
