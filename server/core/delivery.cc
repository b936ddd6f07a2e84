// Outcomes to those who subscribed.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

HandleExtras& Core::State::Extras(Handle& handle) {
  if (handle.extras == nullptr) handle.extras = std::make_unique<HandleExtras>(&handle);
  return *handle.extras;
}

bool Core::State::IsSubscribed(const Handle& handle, const Subscriber* subscriber) {
  if (handle.group->subscriber == subscriber) return true;
  return handle.extras != nullptr && handle.extras->subscriptions.Holds(subscriber);
}

// Whoever has subscribed already will hear everything; who asks again when it is over has dropped what it heard, and
// wants it once more.
void Core::State::Subscribe(Handle& handle, Subscriber* subscriber, std::uint64_t first_index) {
  if (!IsSubscribed(handle, subscriber)) {
    subscribers.Add(Extras(handle).subscriptions, {subscriber, first_index});
  } else if (!handle.ended) {
    return;
  }
  TellWhatThereIs(handle, {subscriber, first_index});
}

void Core::State::TellWhatThereIs(const Handle& handle, const Subscription& to) {
  if (!handle.is_map()) {
    if (handle.ended) SendEnd(to.to->id, static_cast<const Task&>(handle));
    return;
  }
  const MapRun& map = static_cast<const MapRun&>(handle);
  std::vector<std::pair<std::uint64_t, ItemBlockPtr>> blocks;  // in the order in which they came about
  for (const auto& [index, kept_block] : map.blocks) blocks.emplace_back(kept_block.arrival, kept_block.block);
  std::sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [arrival, block] : blocks) SendBlock(to, map, block);
  if (map.ended) client_port->SendMapEnd(to.to->id, ViewOf(map));
}

void Core::State::SendBlock(const Subscription& to, const MapRun& map, const ItemBlockPtr& block) {
  const std::uint64_t end = block->first_index + block->result_bytes.size();
  if (to.to->gone || end <= to.first_index) return;
  if (block->first_index >= to.first_index) return client_port->SendItems(to.to->id, map.id, block);
  client_port->SendItems(to.to->id, map.id, std::make_shared<const ItemBlock>(CutBlock(*block, to.first_index, end)));
}

void Core::State::DeliverBlock(const MapRun& map, const ItemBlockPtr& block) {
  if (map.extras == nullptr) return;
  map.extras->subscriptions.ForEach([&](const Subscription& subscription) { SendBlock(subscription, map, block); });
}

void Core::State::SendEnd(SubscriberId to, const Task& task) const {
  if (task.plain) {
    client_port->SendSuccess(to, task.id, SuccessOf(task));
  } else {
    client_port->SendOutcome(to, task.id, task.outcome);
  }
}

void Core::State::Deliver(Handle& handle) {
  if (!handle.is_map()) {
    const Subscriber* first = handle.group->subscriber;
    if (first != nullptr && !first->gone) SendEnd(first->id, static_cast<Task&>(handle));
  }
  if (handle.extras == nullptr) return;
  handle.extras->subscriptions.ForEach([&](const Subscription& subscription) {
    if (handle.is_map()) {
      client_port->SendMapEnd(subscription.to->id, ViewOf(static_cast<MapRun&>(handle)));
    } else {
      SendEnd(subscription.to->id, static_cast<Task&>(handle));
    }
  });
}

void Core::State::ForgetSubscriber(SubscriberId id) {
  subscribers.Gone(id);
  waits.CallerGone(id);
  watches.WatcherGone(id);
}

}  // namespace poold::core
