#include "core/pool/pools.h"

#include "absl/strings/str_cat.h"
#include "core/errors.h"
#include "wire/absl_text.h"

namespace poold::core {

absl::Status FailureOf(const Pool& pool) {
  return pool.broken
             ? MakeError(reason::kPoolBroken, absl::StrCat("pool '", pool.spec.name, "' is broken: ", pool.failure),
                         pool.spec.name)
             : MakeError(reason::kPoolFailed, absl::StrCat("pool '", pool.spec.name, "' has failed: ", pool.failure),
                         pool.spec.name);
}

absl::Status CheckRuns(const Pool& pool) {
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kStarting) return absl::OkStatus();
  if (pool.state == PoolState::kFailed) return FailureOf(pool);
  return MakeError(reason::kPoolNotRunning, absl::StrCat("pool '", pool.spec.name, "' was closed; open it anew"),
                   pool.spec.name);
}

std::shared_ptr<Pool> Pools::FindOrNull(std::string_view name) const {
  const auto at = by_name_.find(std::string(name));
  return at == by_name_.end() ? nullptr : at->second;
}

absl::StatusOr<std::shared_ptr<Pool>> Pools::Find(std::string_view name) const {
  const auto at = by_name_.find(std::string(name));
  if (at != by_name_.end()) return at->second;
  return MakeError(reason::kPoolNotFound, absl::StrCat("there is no pool '", wire::ToAbsl(name), "'"), name);
}

std::shared_ptr<Pool> Pools::At(PoolId id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : at->second;
}

bool Pools::SameSpec(const Pool& pool, PoolSpec spec) {
  if (spec.workers == pool.opened_workers) spec.workers = pool.spec.workers;
  return spec == pool.spec;
}

absl::Status Pools::CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const {
  const std::shared_ptr<Pool> other = FindOrNull(spec.name);
  if (other != nullptr && other->live()) {
    const bool alike = SameSpec(*other, spec);
    const bool ending = other->state != PoolState::kRunning && other->state != PoolState::kStarting;
    return MakeError(reason::kPoolExists,
                     absl::StrCat("there is a pool '", spec.name, "'",
                                  ending  ? " that is ending; join it first"
                                  : alike ? " that somebody else made; use it without a creation_id, or name another"
                                          : " with another spec; close it first"),
                     spec.name);
  }
  if (live_ + elsewhere >= most_) {
    return MakeError(absl::StatusCode::kResourceExhausted, reason::kTooMany,
                     absl::StrCat("there are ", live_ + elsewhere, " pools, which is the most; close one"), "max_pools",
                     kSecond);
  }
  return absl::OkStatus();
}

std::shared_ptr<Pool> Pools::Open(Nanos now, PoolSpec spec, HandleId creation, std::uint32_t max_prefetch) {
  auto pool = std::make_shared<Pool>(max_prefetch);
  pool->id = PoolId{static_cast<std::uint32_t>(NumberIn(shard_, ++last_))};
  pool->spec = std::move(spec);
  pool->opened_at = now;
  pool->creation = creation;
  pool->opened_workers = pool->spec.workers;
  pool->present = std::make_unique<Generation>(pool.get(), timers_);
  by_id_.emplace(pool->id, pool);
  ++live_;
  std::shared_ptr<Pool>& named = by_name_[pool->spec.name];
  const std::shared_ptr<Pool> before = std::exchange(named, pool);
  if (before != nullptr) ForgetIfGone(*before);
  return pool;
}

void Pools::Move(Pool& pool, PoolState state) {
  live_ -= pool.live();
  lives_->Move(pool.state, state);
  live_ += pool.live();
  if (!pool.dispatches()) timers_->Clear(&pool.owner_timer);
  if (pool.live() || pool.ended != 0) return;
  pool.ended = ++last_ended_;
  ended_.emplace(pool.ended, &pool);
}

void Pools::IsGone(Pool& pool) {
  if (!std::exchange(pool.gone, true)) ++gone_;
  ForgetIfGone(pool);
  ForgetOldest();
}

void Pools::ForgetIfGone(Pool& pool) {
  if (pool.gone && (pool.forget || !IsNamed(pool))) Forget(pool);
}

bool Pools::IsNamed(const Pool& pool) const {
  const auto named = by_name_.find(pool.spec.name);
  return named != by_name_.end() && named->second.get() == &pool;
}

void Pools::ForgetOldest() {
  std::size_t later = ended_.size();
  for (auto at = ended_.begin(); later > most_;) {
    Pool& pool = *(at++)->second;
    --later;
    if (pool.gone) Forget(pool);
  }
}

// The pool may be no more after it.
void Pools::Forget(Pool& pool) {
  const PoolId id = pool.id;
  --gone_;
  ended_.erase(pool.ended);
  for (const ClientId owner : pool.owners.ids()) owned_.erase({owner, id});
  if (IsNamed(pool)) by_name_.erase(pool.spec.name);
  by_id_.erase(id);
}

void Pools::AddOwner(Nanos now, Pool& pool, ClientId owner) {
  if (pool.spec.on_owner_lost == OwnerLost::kKeep) return;  // nobody will ask
  for (const ClientId forgotten : pool.owners.Add(now, owner, grace_)) owned_.erase({forgotten, pool.id});
  if (!pool.owners.for_nobody()) owned_.insert({owner, pool.id});
  timers_->Clear(&pool.owner_timer);
}

void Pools::NotePresence(Nanos now, ClientId client, bool present) {
  for (auto at = owned_.lower_bound({client, PoolId{}}); at != owned_.end() && at->first == client; ++at) {
    Pool* const pool = by_id_.at(at->second).get();
    if (!pool->dispatches() || pool->spec.on_owner_lost == OwnerLost::kKeep) continue;
    const PoolOwners::Change change = pool->owners.NotePresence(now, client, present);
    if (change == PoolOwners::Change::kNone) continue;
    const bool lost = change == PoolOwners::Change::kLost;
    timers_->Set(&pool->owner_timer, lost ? After(now, grace_) : kNever, TimerKind::kPoolOwner, pool);
  }
}

std::string Pools::Check() const {
  std::size_t owners = 0;
  std::uint64_t live = 0;
  std::uint64_t gone = 0;
  for (const auto& [id, pool] : by_id_) {
    live += pool->live();
    gone += pool->gone;
    if (pool->gone && (pool->has_processes() || pool->live())) return "a pool is gone and has processes, or lives";
    for (const ClientId owner : pool->owners.ids()) owners += owned_.contains({owner, id});
  }
  if (owners != owned_.size()) return "a pool is listed of an owner that it does not have, or is not listed";
  if (live != live_ || gone != gone_) return "pools are miscounted";
  for (const auto& [name, pool] : by_name_) {
    if (At(pool->id) != pool || pool->spec.name != name) return "a name names a pool that is not there";
  }
  return "";
}

}  // namespace poold::core
