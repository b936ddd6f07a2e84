#include "engine/subscriber.h"

#include <utility>

namespace poold::engine {
namespace {

std::uint32_t PlaceOf(core::SubscriberId id) { return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id)); }
std::uint32_t UseOf(core::SubscriberId id) { return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32); }

}  // namespace

core::SubscriberId SubscriberTable::Add(std::shared_ptr<Subscriber> subscriber) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  Slot& slot = slots_[place];
  ++slot.uses;
  slot.subscriber = std::move(subscriber);
  return core::SubscriberId{std::uint64_t{slot.uses} << 32 | place};
}

const std::shared_ptr<Subscriber>& SubscriberTable::Find(core::SubscriberId id) const {
  static const std::shared_ptr<Subscriber> kGone;
  const std::uint32_t place = PlaceOf(id);
  if (place >= slots_.size() || slots_[place].uses != UseOf(id)) return kGone;
  return slots_[place].subscriber;
}

void SubscriberTable::Remove(core::SubscriberId id) {
  if (Find(id) == nullptr) return;
  slots_[PlaceOf(id)].subscriber = nullptr;
  free_.push_back(PlaceOf(id));
}

void SubscriberTable::MarkDirty(const std::shared_ptr<Subscriber>& subscriber) {
  // It keeps what it was given under a mutex that its Flush takes, too: who finds it dirty still comes before that.
  if (subscriber->dirty_.load(std::memory_order_relaxed) || subscriber->dirty_.exchange(true)) return;
  absl::MutexLock lock(&dirty_mu_);
  dirty_.push_back(subscriber);
  any_dirty_ = true;
}

void SubscriberTable::FlushDirty(absl::Mutex* stopping_mu) {
  if (!any_dirty_) return;
  absl::ReaderMutexLock running(stopping_mu);
  std::vector<std::shared_ptr<Subscriber>> dirty;
  {
    absl::MutexLock lock(&dirty_mu_);
    dirty.swap(dirty_);
    any_dirty_ = false;
  }
  for (const std::shared_ptr<Subscriber>& subscriber : dirty) {
    subscriber->dirty_ = false;
    subscriber->Flush();
  }
}

void SubscriberTable::Clear() {
  absl::MutexLock lock(&dirty_mu_);
  dirty_.clear();
  slots_.clear();
  free_.clear();
}

}  // namespace poold::engine
