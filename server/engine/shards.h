// Shards: the directory of a daemon's shards. Its pools are divided among several cores, each behind a gate of its own,
// so that pools of different shards never wait for the same mutex.
//
// A pool lies in one shard as long as its name is known; so do the handles of its tasks and maps. An id that
// carries its shard (wire/handle_shard.h) says where its handle lies; any other handle is looked for. With one shard
// nothing is looked for.
// Role: knows the gates, chooses the shard of a new pool, finds pools and handles. Non-role: decides nothing else.
// Threads: thread-safe. Lookups enter gates: never call them from inside an event. Ownership: does not own the gates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/gate.h"
#include "wire/handle_shard.h"

namespace poold::engine {

class Shards;

// Ids of clients' own choice, from when they are looked for to when the cores have them: meanwhile nobody gets them in
// another shard. Given back when it goes. Move-only.
class ClaimedIds {
 public:
  ClaimedIds() = default;
  ClaimedIds(const Shards* shards, std::vector<core::HandleId> ids) : shards_(shards), ids_(std::move(ids)) {}
  ClaimedIds(ClaimedIds&& other) noexcept
      : shards_(std::exchange(other.shards_, nullptr)), ids_(std::move(other.ids_)) {}
  ClaimedIds& operator=(ClaimedIds&& other) noexcept {
    std::swap(shards_, other.shards_);
    std::swap(ids_, other.ids_);
    return *this;
  }
  ~ClaimedIds();

 private:
  const Shards* shards_ = nullptr;
  std::vector<core::HandleId> ids_;
};

class Shards {
 public:
  // One or more, in the order of core::ShardInfo::index.
  explicit Shards(std::vector<Gate*> gates) : gates_(std::move(gates)) {}

  std::size_t size() const { return gates_.size(); }
  Gate& gate(std::size_t shard) const { return *gates_[shard]; }

  // The shard of the pool with this name; for an unknown name a shard that says so.
  std::size_t OfPool(std::string_view name) const;
  // The shard of the pool with this name; nothing: the name is unknown.
  std::optional<std::size_t> Find(std::string_view name) const;
  // The shard that the id names. Nothing: the id names none, or there is no such shard.
  std::optional<std::size_t> Told(const core::HandleId& id) const {
    const std::uint64_t shard = wire::ShardOfId(id.high, id.low);
    if (size() == 1 || shard == 0 || shard > size()) return std::nullopt;
    return shard - 1;
  }
  // INVALID_ARGUMENT: the id names another shard than that of this pool. `field`: the id's field, for the refusal.
  absl::Status CheckTold(const core::HandleId& id, std::string_view pool, std::string_view field) const;
  // Ids that are to become handles, each in its shard. `why` tells of each: OK, or ALREADY_EXISTS (HANDLE_EXISTS,
  // HANDLE_RELEASED) where another shard knows it or is being given it. Whether its own shard knows it is for that one
  // to say. An id that carries its shard, and every id of a lone shard, costs nothing.
  struct NewId {
    core::HandleId id;
    std::size_t shard = 0;
  };
  ClaimedIds Claim(std::span<const NewId> ids, std::vector<absl::Status>* why) const;
  // The shard that has the handle, or remembers it; for an unknown handle a shard that says so.
  std::size_t OfHandle(const core::HandleId& id) const;
  // OfHandle for each id.
  std::vector<std::size_t> OfHandles(std::span<const core::HandleId> ids) const;

  // Runs `open(core, now, shard, elsewhere)` in the shard of this name; a new one goes where the fewest workers are
  // wanted. `elsewhere`: how many live pools the others have. One at a time.
  template <typename Open>
  auto OpenPool(const std::string& name, Open open) {
    absl::MutexLock lock(&opening_mu_);
    const KnownToSanitizer known(&opening_mu_);
    const Place place = PlaceFor(name);
    return gates_[place.shard]->Enter(
        [&](core::Core& core, core::Nanos now) { return open(core, now, place.shard, place.elsewhere); });
  }

  // The number of names of pools whose shard is remembered.
  std::size_t names() const;
  // The number of times that the gates' mutexes were taken, all together.
  std::uint64_t entries() const;

 private:
  // The shard for a pool that is opened, and the number of live pools in the others.
  struct Place {
    std::size_t shard = 0;
    std::uint64_t elsewhere = 0;
  };

  friend class ClaimedIds;
  // Ends the claims of these ids.
  void GiveBack(std::span<const core::HandleId> ids) const;
  // Asks the other shards whether they know the ids.
  void LookInOthers(std::span<const NewId> ids, std::vector<absl::Status>* why) const;

  Place PlaceFor(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(opening_mu_);
  // Drops names of pools that no core knows any more, when there are many.
  void ForgetNames() ABSL_EXCLUSIVE_LOCKS_REQUIRED(opening_mu_);

  const std::vector<Gate*> gates_;
  // Held from the choice of a shard until the pool is there.
  absl::Mutex opening_mu_;
  std::size_t forget_at_ ABSL_GUARDED_BY(opening_mu_) = 256;
  mutable absl::Mutex places_mu_;
  // The shard of each name of a pool that was opened.
  absl::flat_hash_map<std::string, std::size_t> places_ ABSL_GUARDED_BY(places_mu_);
  // Where each claimed id is to lie, and how many claim it for there.
  struct Claimed {
    std::size_t shard = 0;
    std::uint32_t claims = 0;
  };
  mutable absl::Mutex claims_mu_;
  mutable absl::flat_hash_map<core::HandleId, Claimed> claims_ ABSL_GUARDED_BY(claims_mu_);
};

}  // namespace poold::engine
