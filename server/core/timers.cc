#include "core/timers.h"

#include <utility>

namespace poold::core {

void Timers::Set(TimerId* id, Nanos when, TimerKind kind, void* owner) {
  Clear(id);
  if (when == kNever) return;
  std::uint32_t entry = static_cast<std::uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.push_back({});
  } else {
    entry = free_.back();
    free_.pop_back();
  }
  entries_[entry] = {{kind, owner}, id, 0};
  *id = entry;
  heap_.push_back({when, order_++, entry});
  entries_[entry].place = static_cast<std::uint32_t>(heap_.size() - 1);
  Up(entries_[entry].place);
}

void Timers::Clear(TimerId* id) {
  if (*id != kNoTimer) TakeOut(entries_[*id].place);
}

bool Timers::PopDue(Nanos now, DueTimer* due) {
  if (heap_.empty() || heap_.front().when > now) return false;
  *due = entries_[heap_.front().entry].due;
  TakeOut(0);
  return true;
}

void Timers::TakeOut(std::uint32_t place) {
  const std::uint32_t entry = heap_[place].entry;
  *entries_[entry].id = kNoTimer;
  free_.push_back(entry);
  const Item last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) {
    if (heap_.empty()) {
      entries_.clear();
      free_.clear();
    }
    return;
  }
  Put(place, last);
  Up(place);
  Down(entries_[last.entry].place);
}

void Timers::Put(std::uint32_t place, Item item) {
  heap_[place] = item;
  entries_[item.entry].place = place;
}

void Timers::Up(std::uint32_t place) {
  const Item item = heap_[place];
  while (place > 0) {
    const std::uint32_t parent = (place - 1) / 4;
    if (!(item < heap_[parent])) break;
    Put(place, heap_[parent]);
    place = parent;
  }
  Put(place, item);
}

void Timers::Down(std::uint32_t place) {
  const Item item = heap_[place];
  const auto size = static_cast<std::uint32_t>(heap_.size());
  while (4 * place + 1 < size) {
    std::uint32_t least = 4 * place + 1;
    for (std::uint32_t child = least + 1; child < size && child <= 4 * place + 4; ++child) {
      if (heap_[child] < heap_[least]) least = child;
    }
    if (!(heap_[least] < item)) break;
    Put(place, heap_[least]);
    place = least;
  }
  Put(place, item);
}

}  // namespace poold::core
