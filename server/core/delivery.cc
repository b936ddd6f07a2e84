// Outcomes to those who subscribed.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

Subscriber* Core::State::FindSubscriber(SubscriberId id) {
  if (id == kNobody) return nullptr;
  Subscriber*& subscriber = subscribers_by_id[id];
  if (subscriber == nullptr) {
    subscriber = subscribers.New();
    subscriber->id = id;
  }
  return subscriber;
}

void Core::State::DropUnused(Subscriber* subscriber) {
  if (subscriber == nullptr || subscriber->users > 0) return;
  if (!subscriber->gone) subscribers_by_id.erase(subscriber->id);
  subscribers.Delete(subscriber);
}

void Core::State::Unsubscribe(Subscriber* subscriber) {
  if (subscriber == nullptr) return;
  --subscriber->users;
  DropUnused(subscriber);
}

HandleExtras& Core::State::Extras(Handle& handle) {
  if (handle.extras == nullptr) handle.extras = std::make_unique<HandleExtras>();
  return *handle.extras;
}

bool Core::State::IsSubscribed(const Handle& handle, const Subscriber* subscriber) {
  if (handle.group->subscriber == subscriber) return true;
  if (handle.extras == nullptr) return false;
  const std::vector<Subscription>& all = handle.extras->subscriptions;
  return std::any_of(all.begin(), all.end(), [&](const Subscription& one) { return one.to == subscriber; });
}

// Whoever has subscribed already will hear everything; who asks again when it is over has dropped what it heard, and
// wants it once more.
void Core::State::Subscribe(Handle& handle, Subscriber* subscriber, std::uint64_t first_index) {
  if (!IsSubscribed(handle, subscriber)) {
    AddSubscription(handle, {subscriber, first_index});
  } else if (!handle.ended) {
    return;
  }
  TellWhatThereIs(handle, {subscriber, first_index});
}

void Core::State::AddSubscription(Handle& handle, Subscription subscription) {
  std::vector<Subscription>& subscriptions = Extras(handle).subscriptions;
  std::erase_if(subscriptions, [this](const Subscription& old) {
    const bool gone = old.to->gone;
    if (gone) Unsubscribe(old.to);
    return gone;
  });
  subscriptions.push_back(subscription);
  ++subscription.to->users;
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
  for (const Subscription& subscription : map.extras->subscriptions) SendBlock(subscription, map, block);
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
  for (const Subscription& subscription : handle.extras->subscriptions) {
    if (subscription.to->gone) continue;
    if (handle.is_map()) {
      client_port->SendMapEnd(subscription.to->id, ViewOf(static_cast<MapRun&>(handle)));
    } else {
      SendEnd(subscription.to->id, static_cast<Task&>(handle));
    }
  }
}

void Core::State::ForgetSubscriber(SubscriberId id) {
  if (const auto at = subscribers_by_id.find(id); at != subscribers_by_id.end()) {
    Subscriber* subscriber = at->second;
    subscribers_by_id.erase(at);
    subscriber->gone = true;
    DropUnused(subscriber);
  }
  while (waits.contains(id)) RemoveWait(waits.find(id)->second.back().get());
  RemoveWatcher(id);
}

}  // namespace poold::core
