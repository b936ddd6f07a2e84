// The pools of a core: by name, by number, by owner.
//
// A name names one pool at a time, the newest. The last ones that are gone can still be looked at, unless somebody said
// that they are not to be (Pool::forget), or their name was given to another one.
// Role: knows pools, moves them from state to state, forgets those that are gone; knows whose they are. Non-role:
// starts and ends nothing. Ownership: owns pools, together with groups and workers that refer to them. Thread safety:
// none; used under the core's mutex. Invariants (Check): a name names a pool that is there; live() counts those that
// live; each owner of each pool is listed once; a pool that is gone has no processes.
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

// Why a pool that is FAILED takes nothing.
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
  // Null if there is none.
  std::shared_ptr<Pool> FindOrNull(std::string_view name) const;
  // Null if there is none (any more).
  std::shared_ptr<Pool> At(PoolId id) const;
  // All that are named or have processes.
  const ById& all() const { return by_id_; }
  std::uint64_t live() const { return live_; }
  // Nothing is left of any pool but what is shown.
  bool all_gone() const { return gone_ == by_id_.size(); }

  // ---- Opening ----
  // As it was opened, or as it is now.
  static bool SameSpec(const Pool& pool, PoolSpec spec);
  // Whether another one of this spec may be opened. `elsewhere`: live pools of other cores.
  absl::Status CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const;
  // A new one, which has its name from now on. REQUIRES: CheckOpen is OK.
  std::shared_ptr<Pool> Open(Nanos now, PoolSpec spec, HandleId creation, std::uint32_t max_prefetch);

  // ---- Life ----
  // Makes the transition, or aborts.
  void Move(Pool& pool, PoolState state);
  // It has ended, and its last process is gone: perhaps it is forgotten. May be called again.
  void IsGone(Pool& pool);
  // Pool::forget was set, or its name was given away.
  void ForgetIfGone(Pool& pool);

  // ---- Owners ----
  // Somebody opens it; zero: nobody in particular.
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
  std::set<std::pair<ClientId, PoolId>> owned_;  // by each of Pool::owners
  std::map<std::uint64_t, Pool*> ended_;         // by Pool::ended
  std::uint64_t last_ended_ = 0;
  std::uint64_t gone_ = 0;  // of those that have ended
  std::uint64_t live_ = 0;
  std::uint32_t last_ = 0;  // of this core, without gaps; the number that is seen: NumberIn
};

}  // namespace poold::core
