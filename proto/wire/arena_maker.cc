#include "wire/arena_maker.h"

#include <algorithm>
#include <utility>

#include "wire/arena.h"

namespace poold::wire {

bool ArenaMaker::Arena::held() const { return fd && IsHeld(fd.get(), mapping->shape()); }
bool ArenaMaker::Arena::held(std::uint32_t slot) const { return fd && IsHeld(fd.get(), mapping->shape(), slot); }

std::optional<ArenaMaker::Reserved> ArenaMaker::Reserve(std::uint64_t payload_bytes, Announce announce) {
  if (payload_bytes > kMaxArenaPayloadBytes) return std::nullopt;
  DropClosed();
  const ArenaShape shape = NextShape(payload_bytes);
  for (const Arena& arena : arenas_) {
    // A slot much too large is kept for what needs it.
    if (arena.mapping->shape().slot_bytes != shape.slot_bytes) continue;
    if (auto reserved = ReserveIn(arena, payload_bytes)) return reserved;
  }
  if (!MakeRoomFor(shape.bytes())) return std::nullopt;
  auto fd = MakeArena(shape);
  if (!fd.ok()) return std::nullopt;
  auto mapping = ArenaMapping::Map(fd->get(), shape, ArenaAccess::kAll);
  if (!mapping.ok()) return std::nullopt;
  if (holds_ == Holds::kHeeded) mapping->head().heeds_holds.store(1);
  const std::optional<std::uint64_t> number = announce(fd->get(), shape);
  if (!number) return std::nullopt;
  mapping->Gather();
  bytes_ += shape.bytes();
  arenas_.push_back({*number, std::make_shared<const ArenaMapping>(*std::move(mapping)),
                     holds_ == Holds::kHeeded ? *std::move(fd) : UniqueFd()});
  auto reserved = ReserveIn(arenas_.back(), payload_bytes);
  if (!reserved) DropClosed();  // what was gathered in one that the daemon has closed already is not its any more
  return reserved;
}

ArenaShape ArenaMaker::NextShape(std::uint64_t payload_bytes) const {
  ArenaShape shape = ArenaShape::For(payload_bytes);
  std::uint32_t slots = 0;
  for (const Arena& arena : arenas_) {
    if (arena.mapping->shape().slot_bytes == shape.slot_bytes) slots += arena.mapping->shape().slots;
  }
  shape.slots = std::clamp<std::uint32_t>(slots, 1, shape.slots);
  return shape;
}

void ArenaMaker::DropClosed() {
  std::erase_if(arenas_, [this](const Arena& arena) {
    if (arena.mapping->head().closed.load() == 0) return false;
    bytes_ -= arena.mapping->shape().bytes();
    return true;
  });
}

std::optional<ArenaMaker::Reserved> ArenaMaker::ReserveIn(const Arena& arena, std::uint64_t payload_bytes) {
  const ArenaMapping& mapping = *arena.mapping;
  if (!mapping.Has(0, payload_bytes)) return std::nullopt;
  for (std::uint32_t slot = 0; slot < mapping.shape().slots; ++slot) {
    std::atomic<std::uint64_t>& word = mapping.head().words[slot];
    std::uint64_t now = word.load();
    if (StateOf(now) != SlotState::kFree) continue;
    const ArenaPlace place{slot, UseOf(now) + 1};
    if (!word.compare_exchange_strong(now, SlotWord(place.use, SlotState::kFilled))) continue;
    const Reserved reserved{arena.number, place, mapping.shape(), mapping.Slot(slot), arena.mapping};
    if (arena.held(slot)) {
      Abandon(reserved);
      continue;
    }
    // The daemon closes first and looks at the words then: one of the two sees the other.
    if (mapping.head().closed.load() == 0) return reserved;
    Abandon(reserved);
    return std::nullopt;
  }
  return std::nullopt;
}

// What lies here unused gives way to what is wanted; the daemon gives its memory back when it looks next.
bool ArenaMaker::MakeRoomFor(std::uint64_t bytes) {
  if (bytes > max_bytes_) return false;
  for (std::size_t i = 0; i < arenas_.size() && bytes_ + bytes > max_bytes_;) {
    if (!arenas_[i].mapping->AllFree() || arenas_[i].held()) {
      ++i;
      continue;
    }
    arenas_[i].mapping->head().closed.store(1);
    bytes_ -= arenas_[i].mapping->shape().bytes();
    arenas_.erase(arenas_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return bytes_ + bytes <= max_bytes_;
}

void ArenaMaker::Abandon(const Reserved& reserved) {
  reserved.mapping->Advance(reserved.place, SlotState::kFilled, SlotState::kFree);
}

}  // namespace poold::wire
