// Streams that outcomes go to, and which of them subscribed to which handle.
//
// Role: keeps each stream for as long as somebody refers to it. Non-role: sends nothing; knows no handle.
// Invariants (Check): a stream is known by its id from Find until Gone; a known stream has an owner of a reference,
// except between Find and the next DropUnused.
// Thread safety: none; used under the core's mutex.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/slab.h"
#include "core/types.h"

namespace poold::core {

// A stream that outcomes go to. Only Subscribers changes it.
struct Subscriber {
  // Set by the slab that it lies in.
  std::uint32_t slot = 0;
  SubscriberId id = kNobody;
  // References to it: of groups and of subscriptions. It is freed with the last one.
  std::uint64_t users = 0;
  // The stream has ended: nothing is sent to it any more.
  bool gone = false;
};

// A stream that hears of one handle.
struct Subscription {
  // Never null.
  Subscriber* to = nullptr;
  // Of a map: the first item that is sent; of a task 0.
  std::uint64_t first_index = 0;
};

// The subscriptions to one handle, beside the one that its group has.
class SubscriptionList {
 public:
  bool Holds(const Subscriber* subscriber) const {
    return std::any_of(all_.begin(), all_.end(), [&](const Subscription& one) { return one.to == subscriber; });
  }
  // Visits each subscription whose stream has not ended, oldest first.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const Subscription& one : all_) {
      if (!one.to->gone) visit(one);
    }
  }

 private:
  friend class Subscribers;
  std::vector<Subscription> all_;
};

class Subscribers {
 public:
  // The stream with this id; a new one if it is not known. Null for kNobody. The caller calls Enter or Add for it, or
  // DropUnused.
  Subscriber* Find(SubscriberId id);
  // One more reference; null is ignored, as in Leave and DropUnused.
  static void Enter(Subscriber* subscriber) {
    if (subscriber != nullptr) ++subscriber->users;
  }
  // One reference less. The stream is forgotten with the last one.
  void Leave(Subscriber* subscriber);
  // Forgets the stream if nobody refers to it.
  void DropUnused(Subscriber* subscriber);
  // Adds a subscription, and drops those whose stream has ended.
  void Add(SubscriptionList& list, const Subscription& subscription);
  // Drops all subscriptions of the list, because its handle goes.
  void Clear(SubscriptionList& list);
  // The stream has ended; its id may come again as a new stream.
  void Gone(SubscriberId id);

  // Streams that are in memory, and those of them that have not ended.
  std::size_t size() const { return all_.size(); }
  std::size_t known() const { return by_id_.size(); }
  // The first invariant that does not hold; empty if all do. Between two events.
  std::string Check() const;

 private:
  Slab<Subscriber> all_;
  absl::flat_hash_map<SubscriberId, Subscriber*> by_id_;
};

}  // namespace poold::core
