#include "base/arena.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/arena.h"

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

std::uint64_t ArenaTable::NewNumber() {
  std::random_device random;
  return std::max<std::uint64_t>(std::uint64_t{random()} << 32 | random(), 1);
}

void ArenaTable::Add(const std::shared_ptr<Arena>& arena) {
  absl::MutexLock lock(&mu_);
  arenas_[arena->number()] = arena;
}

std::shared_ptr<Arena> ArenaTable::Find(std::uint64_t number) {
  absl::MutexLock lock(&mu_);
  const auto found = arenas_.find(number);
  return found == arenas_.end() ? nullptr : found->second.lock();
}

std::size_t ArenaTable::CloseUnused() {
  std::size_t closed = 0;
  for (const std::shared_ptr<Arena>& arena : Living()) {
    if (arena->empty() || !arena->unused()) continue;
    arena->Close();
    closed += arena->empty() ? 1 : 0;
  }
  return closed;
}

void ArenaTable::CloseForgotten() {
  for (const std::shared_ptr<Arena>& arena : Living()) {
    const bool closed = arena->mapping().head().closed.load() != 0;
    const bool forgotten = !arena->TakeTouched();
    if (!arena->empty() && (closed || (forgotten && arena->unused()))) arena->Close();
    if (forgotten) LetGo(arena);
  }
}

std::int64_t ArenaTable::Tend(std::int64_t now) {
  {
    absl::MutexLock lock(&mu_);
    if (now < next_turn_) return next_turn_ - now;
    next_turn_ = now + kTurn;
  }
  CloseForgotten();
  return kTurn;
}

void ArenaTable::Keep(std::shared_ptr<Arena> arena) {
  absl::MutexLock lock(&mu_);
  kept_.push_back(std::move(arena));
}

void ArenaTable::LetGo(const std::shared_ptr<Arena>& arena) {
  absl::MutexLock lock(&mu_);
  std::erase(kept_, arena);
}

// Outside of the lock they may be let go: the last owner of one gives its memory back.
std::vector<std::shared_ptr<Arena>> ArenaTable::Living() {
  std::vector<std::shared_ptr<Arena>> living;
  absl::MutexLock lock(&mu_);
  absl::erase_if(arenas_, [&living](const auto& entry) {
    std::shared_ptr<Arena> arena = entry.second.lock();
    if (arena == nullptr) return true;
    living.push_back(std::move(arena));
    return false;
  });
  return living;
}

}  // namespace poold::base
