#include "base/arena.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/arena_hold.h"

namespace poold::base {

using wire::SlotState;

Arena::Arena(std::uint64_t number, wire::UniqueFd fd, wire::ArenaMapping mapping, Reservation room, Reservation files)
    : number_(number),
      fd_(std::move(fd)),
      mapping_(std::move(mapping)),
      room_(std::move(room)),
      files_(std::move(files)) {}

Arena::~Arena() {
  mapping_.head().closed.store(1);
  // What its maker has filled and nobody took is the maker's yet: it may send it another way.
  if (!empty() && mapping_.AllFree()) wire::EmptyArena(fd_.get(), mapping_.shape());
}

absl::StatusOr<std::shared_ptr<const PayloadFile>> Arena::Take(wire::ArenaPlace place, std::uint64_t bytes) {
  if (!mapping_.Has(place.slot, bytes)) {
    return absl::InvalidArgumentError(absl::StrCat("the arena has no slot ", place.slot, " of ", bytes, " bytes"));
  }
  if (!mapping_.Advance(place, SlotState::kFilled, SlotState::kTaken)) {
    return absl::NotFoundError("the slot of the arena has another payload by now");
  }
  touched_.store(true, std::memory_order_relaxed);
  return PayloadFile::InArena(shared_from_this(), place, bytes);
}

void Arena::Close() {
  mapping_.head().closed.store(1);
  EmptyIfUnused();
}

void Arena::Free(wire::ArenaPlace place) {
  touched_.store(true, std::memory_order_relaxed);
  mapping_.Advance(place, SlotState::kTaken, SlotState::kFree);
  if (mapping_.head().closed.load() != 0) EmptyIfUnused();
}

bool Arena::unused() const { return mapping_.AllFree() && !wire::IsHeld(fd_.get(), mapping_.shape()); }

void Arena::EmptyIfUnused() {
  if (!unused() || empty_.exchange(true, std::memory_order_acq_rel)) return;
  wire::EmptyArena(fd_.get(), mapping_.shape());
  absl::MutexLock lock(&mu_);
  room_ = Reservation();
}

}  // namespace poold::base
