#include "process/slot_table.h"

namespace poold::process {

SlotTable::SlotTable() {
  free_.reserve(wire::kClaimSlots);
  for (std::uint32_t i = wire::kClaimSlots; i-- > 0;) free_.push_back(static_cast<std::uint16_t>(i));
}

std::uint16_t SlotTable::Take(bool chunk) {
  const std::uint16_t index = free_.back();
  free_.pop_back();
  live_chunks_ += chunk;
  slots_[index].live = true;
  slots_[index].chunk = chunk;
  slots_[index].done = 0;
  slots_[index].refusal.clear();
  slots_[index].order = next_order_++;
  return index;
}

void SlotTable::Free(Slot* slot) {
  live_chunks_ -= slot->chunk;
  slot->live = false;
  slot->draft.reset();
  slot->shared_args.reset();
  free_.push_back(static_cast<std::uint16_t>(slot - slots_.data()));
}

Slot* SlotTable::ByTicket(std::uint32_t ticket) {
  const std::uint16_t index = wire::TicketSlot(ticket);
  if (index >= wire::kClaimSlots) return nullptr;
  Slot& slot = slots_[index];
  return slot.live && slot.ticket == ticket ? &slot : nullptr;
}

Slot* SlotTable::ByToken(core::AttemptToken token) {
  for (Slot& slot : slots_) {
    if (slot.live && slot.token == token) return &slot;
  }
  return nullptr;
}

Slot* SlotTable::Oldest() {
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    if (slot.live && (oldest == nullptr || slot.order < oldest->order)) oldest = &slot;
  }
  return oldest;
}

}  // namespace poold::process
