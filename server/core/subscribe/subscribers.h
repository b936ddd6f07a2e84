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

// A stream. Only Subscribers changes it.
struct Subscriber {
  std::uint32_t slot = 0;  // of the slab
  SubscriberId id = kNobody;
  std::uint64_t users = 0;  // references to it: of groups and of subscriptions
  bool gone = false;        // the stream has ended: nothing is sent to it any more
};

struct Subscription {
  Subscriber* to = nullptr;
  std::uint64_t first_index = 0;  // of a map: the first item that is sent; 0 for a task
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
  // The handle of the list goes.
  void Clear(SubscriptionList& list);
  // The stream has ended.
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
