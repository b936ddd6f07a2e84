// Engine: the cores of a daemon behind one door. Callers name pools and handles, never a shard.
//
// A pool lies in one core as long as its name is known, and so do the handles of its tasks and maps.
// Role: finds the core in which a pool or a handle lies, brings events and questions there, and puts together the
// answers of several cores. Non-role: decides nothing about tasks or pools, and checks no request.
// Threads: thread-safe after Attach. Each function enters cores: never call one from inside an event, or while
// subscribers are flushed. Ownership: shares subscribers until they are unsubscribed; does not own the gates and the
// clock, which must outlive it. Errors: those of the cores, passed on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "core/core.h"
#include "engine/client_names.h"
#include "engine/pending_call.h"
#include "engine/shard.h"
#include "engine/shards.h"

namespace poold::engine {

// The handles of one call that lie in the same core. Made by Engine::Locate, and read by the engine.
struct HandleGroup {
  // Never null in a group that Locate made.
  Shard* shard = nullptr;
  std::vector<core::HandleId> ids;
  // The place of each id in the call.
  std::vector<std::size_t> places;
};

// The cores in which a subscriber is subscribed. Used by one thread at a time.
class Subscription {
 public:
  void Add(Shard* shard, core::SubscriberId id) { places_.push_back({shard, id}); }
  // Unsubscribes. Idempotent.
  void Drop();

 private:
  // One subscription: the shard, and the subscriber's id there.
  struct Place {
    Shard* shard = nullptr;
    core::SubscriberId id = core::kNobody;
  };
  std::vector<Place> places_;
};

// An event of one core, for functions that make handles or subscribers inside it.
struct Visit {
  core::Core& core;
  // The moment of the event.
  core::Nanos now;
  // The shard of the core. Only the engine uses it.
  Shard& shard;

  // Makes a subscriber that waits for one answer of the core. See AnswerSubscriber.
  PendingCall Expect(std::function<void(Answer)> then) const { return ExpectAnswer(shard, std::move(then)); }
  // Makes an unused handle for a task or map of this core.
  core::HandleId NewHandle() const { return shard.NewHandle(core); }
};

class Engine {
 public:
  // For so many cores, one or more.
  Engine(std::size_t cores, const base::Clock* clock);

  // ---- Wiring ----
  std::size_t size() const { return shards_.size(); }
  // The client port of the core of this place, and the outbox to flush after its events (Gate::AddOutbox).
  core::ClientPort* clients(std::size_t core) { return shards_[core].get(); }
  Outbox* outbox(std::size_t core) { return shards_[core].get(); }
  // Set functions that any thread calls without a lock: when after core::OnShutdown the last process of the last pool
  // is gone, and when the state of a pool has changed. Call before Attach.
  void OnAllPoolsGone(std::function<void()> then) { on_all_pools_gone_ = std::move(then); }
  void OnPoolsChanged(std::function<void()> then) { shared_.on_pools_changed = std::move(then); }
  // Takes the gates to the cores, in their order. Call once, before anything enters.
  void Attach(std::vector<Gate*> gates);
  // Drops all subscribers. REQUIRES: nothing enters any more.
  void Clear();

  // Held for reading while subscribers are flushed. A thread that holds it for writing keeps flushers out.
  absl::Mutex& flushing_mu() { return shared_.stopping_mu; }
  // The names of clients. Synchronises itself.
  ClientNames& client_names() { return client_names_; }
  // The number of times that the gates' mutexes were taken, all together.
  std::uint64_t entries() const { return directory_->entries(); }
  // The places of pools. Only for the engine itself (SessionPort) and tests.
  const Shards& directory() const { return *directory_; }
  Shard& shard(std::size_t place) const { return *shards_[place]; }

  // ---- Events: `event(core, now)`, whose result is returned ----
  // Runs the event in the core of the pool with this name; for an unknown name in a core that says so.
  template <typename Event>
  auto InPool(std::string_view pool, Event&& event) const {
    return ShardOfPool(pool).Enter(std::forward<Event>(event));
  }
  // Runs the event in the core that has the handle, or remembers it; for an unknown handle in a core that says so.
  template <typename Event>
  auto AtHandle(const core::HandleId& id, Event&& event) const {
    return ShardOfHandle(id).Enter(std::forward<Event>(event));
  }
  // Runs the event in each core, one after the other.
  template <typename Event>
  void InEach(Event event) const {
    for (const std::unique_ptr<Shard>& shard : shards_) shard->Enter(event);
  }
  // An unused id that belongs to no pool.
  core::HandleId NewId() const;
  // Ids that a client has chosen for tasks or maps of this pool; claimed until they are submitted. `why` tells of each:
  // OK; INVALID_ARGUMENT: it says that its handle lies in another core than the pool; ALREADY_EXISTS: a handle in
  // another core has it. `field`: of each id.
  ClaimedIds ClaimIds(std::string_view pool, std::span<const core::HandleId> ids,
                      const std::function<std::string(std::size_t)>& field, std::vector<absl::Status>* why) const;

  // ---- Many handles ----
  // Groups the handles by core. At least one group; none is empty unless `ids` is.
  std::vector<HandleGroup> Locate(std::span<const core::HandleId> ids) const;
  // Runs `event(core, now, id, place)` for each handle, those of one core in events of kSlice handles: others get in
  // between.
  template <typename Event>
  void AtEach(const std::vector<HandleGroup>& groups, Event event) const {
    for (const HandleGroup& group : groups) {
      for (std::size_t begin = 0; begin < group.ids.size(); begin += core::kSlice) {
        const std::size_t end = std::min(group.ids.size(), begin + core::kSlice);
        group.shard->Enter([&](core::Core& core, core::Nanos now) {
          for (std::size_t i = begin; i < end; ++i) event(core, now, group.ids[i], group.places[i]);
        });
      }
    }
  }

  // ---- Questions that a core answers now or later: see AskShard ----
  template <typename Ask>
  PendingCall AskInPool(std::string_view pool, Ask ask, std::function<void(Answer)> then) const {
    return AskShard(ShardOfPool(pool), std::move(ask), std::move(then));
  }
  template <typename Ask>
  PendingCall AskAtHandle(const core::HandleId& id, Ask ask, std::function<void(Answer)> then) const {
    return AskShard(ShardOfHandle(id), std::move(ask), std::move(then));
  }
  // Runs `event(visit)` where the pool lies: for an event that makes handles, or asks several questions.
  template <typename Event>
  auto VisitPool(std::string_view pool, Event event) const {
    Shard& shard = ShardOfPool(pool);
    return shard.Enter([&](core::Core& core, core::Nanos now) { return event(Visit{core, now, shard}); });
  }
  // Opens a pool; a new one in the core in which the fewest workers are wanted. Nothing was asked, and the result is
  // empty: the client `owner` has no session now (zero: the pool has no owner).
  std::optional<PendingCall> OpenPool(core::PoolSpec spec, core::ClientId owner, const core::HandleId& creation,
                                      std::function<void(Answer)> then);

  // ---- Subscriptions ----
  // Runs `subscribe(core, now, me)` in the core of the handle. After an error nothing is subscribed.
  template <typename Subscribe>
  absl::Status SubscribeAtHandle(const core::HandleId& id, const std::shared_ptr<Subscriber>& subscriber,
                                 Subscription* out, Subscribe subscribe) const {
    return SubscribeIn(&ShardOfHandle(id), subscriber, out, std::move(subscribe));
  }
  // As SubscribeAtHandle, in a core that is known.
  template <typename Subscribe>
  static absl::Status SubscribeIn(Shard* shard, const std::shared_ptr<Subscriber>& subscriber, Subscription* out,
                                  Subscribe subscribe) {
    return shard->Enter([&](core::Core& core, core::Nanos now) {
      const core::SubscriberId me = shard->subscribers().Add(subscriber);
      absl::Status subscribed = subscribe(core, now, me);
      if (subscribed.ok()) {
        out->Add(shard, me);
      } else {
        shard->subscribers().Remove(me);
      }
      return subscribed;
    });
  }
  // The core of a pool as a group without handles, for Watched.
  HandleGroup GroupOfPool(std::string_view pool) const { return {&ShardOfPool(pool), {}, {}}; }

  // ---- Views over all cores ----
  // The views of all pools in the order of their opening, and the other views of all cores together.
  std::vector<core::PoolView> Pools() const;
  std::vector<std::string> PoolNames() const;
  std::vector<core::ClientView> HeldUpClients() const;
  core::MemoryUse memory() const;
  // At most `most` handles from `place` on: 0, or `next` of the page before. `next` is 0 after the last page.
  // POOL_NOT_FOUND where the filter names a pool that is not there.
  absl::StatusOr<core::TaskPage> ViewTasks(const core::TaskFilter& filter, std::uint64_t place, std::size_t most) const;

 private:
  Shard& ShardOfPool(std::string_view pool) const { return *shards_[directory_->OfPool(pool)]; }
  Shard& ShardOfHandle(const core::HandleId& id) const { return *shards_[directory_->OfHandle(id)]; }
  void TakeShardGone();

  ClientNames client_names_;
  SharedState shared_;
  std::function<void()> on_all_pools_gone_;
  std::vector<std::unique_ptr<Shard>> shards_;  // constant
  std::optional<Shards> directory_;             // constant after Attach
};

}  // namespace poold::engine
