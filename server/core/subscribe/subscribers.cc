#include "core/subscribe/subscribers.h"

namespace poold::core {

Subscriber* Subscribers::Find(SubscriberId id) {
  if (id == kNobody) return nullptr;
  Subscriber*& subscriber = by_id_[id];
  if (subscriber == nullptr) {
    subscriber = all_.New();
    subscriber->id = id;
  }
  return subscriber;
}

void Subscribers::DropUnused(Subscriber* subscriber) {
  if (subscriber == nullptr || subscriber->users > 0) return;
  if (!subscriber->gone) by_id_.erase(subscriber->id);
  all_.Delete(subscriber);
}

void Subscribers::Leave(Subscriber* subscriber) {
  if (subscriber == nullptr) return;
  --subscriber->users;
  DropUnused(subscriber);
}

void Subscribers::Add(SubscriptionList& list, const Subscription& subscription) {
  std::erase_if(list.all_, [this](const Subscription& old) {
    const bool gone = old.to->gone;
    if (gone) Leave(old.to);
    return gone;
  });
  list.all_.push_back(subscription);
  Enter(subscription.to);
}

void Subscribers::Clear(SubscriptionList& list) {
  for (const Subscription& one : list.all_) Leave(one.to);
  list.all_.clear();
}

void Subscribers::Gone(SubscriberId id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return;
  Subscriber* subscriber = at->second;
  by_id_.erase(at);
  subscriber->gone = true;
  DropUnused(subscriber);
}

std::string Subscribers::Check() const {
  if (by_id_.size() > all_.size()) return "a stream is known that does not exist";
  for (const auto& [id, subscriber] : by_id_) {
    if (all_.Find(subscriber->slot) != subscriber || subscriber->id != id) return "a stream is known by a wrong id";
    if (subscriber->gone) return "a stream has ended, and is known";
    if (subscriber->users == 0) return "a stream is known to which nobody refers";
  }
  return "";
}

}  // namespace poold::core
