// The pools of a core: by name, by number, by owner.
//
// A name names one pool at a time, the newest. The last pools that are gone can still be looked at, unless a client
// said that they are not to be (Pool::forget), or their name was given to another one.
// Role: knows pools, moves them from state to state, forgets those that are gone; knows whose they are. Non-role:
// starts and ends nothing.
// Ownership: owns pools, together with groups and workers that refer to them. Thread safety: none; used under the
// core's mutex.
// Invariants (Check): a name names a pool that is there; live() counts those that live; each owner of each pool is
// listed once; a pool that is gone has no processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/pool.h"
#include "core/pool/lives.h"
#include "core/timers.h"
#include "core/types.h"

namespace poold::core {

// The refusal of everything for a pool that is FAILED.
absl::Status FailureOf(const Pool& pool);
// OK if the pool takes work, or will.
absl::Status CheckRuns(const Pool& pool);

class Pools {
 public:
  using ById = std::map<PoolId, std::shared_ptr<Pool>>;

  // `most`: Limits::max_pools, and so many that are gone are shown. `grace`: Limits::owner_grace. All outlive it.
  Pools(const ShardInfo& shard, std::uint32_t most, Nanos grace, Timers* timers, Lives* lives)
      : shard_(shard), most_(most), grace_(grace), timers_(timers), lives_(lives) {}

  // ---- Finding ----
  // POOL_NOT_FOUND if no pool has this name.
  absl::StatusOr<std::shared_ptr<Pool>> Find(std::string_view name) const;
  // As Find; null: no pool has this name.
  std::shared_ptr<Pool> FindOrNull(std::string_view name) const;
  // The pool with this number; null: there is none, or it was forgotten.
  std::shared_ptr<Pool> At(PoolId id) const;
  // All pools that are named or have processes.
  const ById& all() const { return by_id_; }
  // The number of pools that have not ended.
  std::uint64_t live() const { return live_; }
  // Whether every pool that is known is gone.
  bool all_gone() const { return gone_ == by_id_.size(); }

  // ---- Opening ----
  // Whether the spec is the pool's, with the workers that it was opened with or that it has now.
  static bool SameSpec(const Pool& pool, PoolSpec spec);
  // Whether another one of this spec may be opened. `elsewhere`: live pools of other cores.
  absl::Status CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const;
  // Makes a pool, which has its name from now on. REQUIRES: CheckOpen is OK.
  std::shared_ptr<Pool> Open(Nanos now, PoolSpec spec, HandleId creation, std::uint32_t max_prefetch);

  // ---- Life ----
  // Makes the transition, or aborts.
  void Move(Pool& pool, PoolState state);
  // The pool has ended, and its last process is gone: perhaps it is forgotten. May be called again.
  void IsGone(Pool& pool);
  // Forgets the pool if it is gone. Call when Pool::forget was set, or its name was given away.
  void ForgetIfGone(Pool& pool);

  // ---- Owners ----
  // A client opens the pool; zero: no client in particular, and the pool is never lost.
  void AddOwner(Nanos now, Pool& pool, ClientId owner);
  // Sets the timer (TimerKind::kPoolOwner) of pools whose last owner has gone, and stops it when one is there again.
  void NotePresence(Nanos now, ClientId client, bool present);

  // The first invariant that does not hold; empty if all do.
  std::string Check() const;

 private:
  void Forget(Pool& pool);
  // Those that are gone, oldest first, until no more are shown than may be.
  void ForgetOldest();
  bool IsNamed(const Pool& pool) const;

  const ShardInfo& shard_;
  const std::uint32_t most_;
  const Nanos grace_;
  Timers* const timers_;
  Lives* const lives_;
  ById by_id_;
  absl::flat_hash_map<std::string, std::shared_ptr<Pool>> by_name_;
  // Each owner of each pool: PoolOwners::ids.
  std::set<std::pair<ClientId, PoolId>> owned_;
  // Pools that have ended, by Pool::ended.
  std::map<std::uint64_t, Pool*> ended_;
  std::uint64_t last_ended_ = 0;
  // Pools that are gone and still known.
  std::uint64_t gone_ = 0;
  std::uint64_t live_ = 0;
  // The number of pools that this core has made. Their ids come from NumberIn.
  std::uint32_t last_ = 0;
};

}  // namespace poold::core
