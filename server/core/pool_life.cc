// Pools open, close, fail and end.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {

absl::StatusOr<std::shared_ptr<Pool>> Core::State::FindPool(std::string_view name) const {
  const auto at = pools_by_name.find(std::string(name));
  if (at != pools_by_name.end()) return at->second;
  return MakeError(absl::StatusCode::kNotFound, "POOL_NOT_FOUND",
                   absl::StrCat("there is no pool '", wire::ToAbsl(name), "'"), name);
}

absl::Status Core::State::CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const {
  if (shutting_down) {
    return MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the daemon is shutting down", "", kSecond);
  }
  if (spec.workers == 0 || spec.workers > limits.max_workers_per_pool) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FIELD",
                     absl::StrCat("workers is ", spec.workers, "; a pool has 1 to ", limits.max_workers_per_pool),
                     "spec.workers");
  }
  const auto at = pools_by_name.find(spec.name);
  if (at != pools_by_name.end() && at->second->live()) {
    const bool alike = SameSpec(*at->second, spec);
    const bool ending = at->second->state != PoolState::kRunning && at->second->state != PoolState::kStarting;
    return MakeError(absl::StatusCode::kAlreadyExists, "POOL_EXISTS",
                     absl::StrCat("there is a pool '", spec.name, "'",
                                  ending  ? " that is ending; join it first"
                                  : alike ? " that somebody else made; use it without a creation_id, or name another"
                                          : " with another spec; close it first"),
                     spec.name);
  }
  const std::uint64_t live = live_pools + elsewhere;
  if (live >= limits.max_pools) {
    return MakeError(absl::StatusCode::kResourceExhausted, "TOO_MANY",
                     absl::StrCat("there are ", live, " pools, which is the most; close one"), "max_pools", kSecond);
  }
  return absl::OkStatus();
}

// As it was opened, or as it is now.
bool Core::State::SameSpec(const Pool& pool, PoolSpec spec) {
  if (spec.workers == pool.opened_workers) spec.workers = pool.spec.workers;
  return spec == pool.spec;
}

void Core::State::OpenPool(SubscriberId call, PoolSpec spec, ClientId owner, std::uint64_t elsewhere,
                           HandleId creation) {
  const auto at = pools_by_name.find(spec.name);
  std::shared_ptr<Pool> pool = at == pools_by_name.end() ? nullptr : at->second;
  const bool again = pool != nullptr && creation != HandleId{} && pool->creation == creation;
  const bool may_share = creation == HandleId{} || again;
  const bool same = pool != nullptr && may_share && SameSpec(*pool, spec) && !shutting_down &&
                    (pool->state == PoolState::kStarting || pool->state == PoolState::kRunning);
  if (!same) {
    if (absl::Status status = CheckOpen(spec, elsewhere); !status.ok()) {
      return client_port->AnswerOpenPool(call, std::move(status), false);
    }
    pool = std::make_shared<Pool>(limits.max_prefetch);
    pool->id = PoolId{static_cast<std::uint32_t>(NumberIn(shard, ++last_pool))};
    pool->spec = std::move(spec);
    pool->opened_at = now;
    pool->creation = creation;
    pool->opened_workers = pool->spec.workers;
    pool->present = std::make_unique<Generation>(pool.get(), &timers);
    pools_by_name[pool->spec.name] = pool;
    pools.emplace(pool->id, pool);
    ++live_pools;
  }
  AddOwner(*pool, owner);
  if (same && pool->state == PoolState::kRunning) {
    return client_port->AnswerOpenPool(call, ViewOf(*pool), again);
  }
  if (call != kNobody) {
    waits.Open(CallsOf(pool), call, /*created=*/!same || again);
  }
  if (!same) staffing.Open(*pool);
  ForgetOldPools();
}

void Core::State::AnswerOpenCalls(Pool& pool, const absl::Status& status) {
  waits.AnswerOpens(pool.calls, status, [&] { return ViewOf(pool); });
}

void Core::State::ChangeState(Pool& pool, PoolState state) {
  live_pools -= pool.live();
  lives.Move(pool.state, state);
  live_pools += pool.live();
  if (!pool.dispatches()) timers.Clear(&pool.owner_timer);
  TellPoolWatchers(pool);
}

std::uint64_t Core::State::ClosePool(Pool& pool, bool cancel_queued) {
  const bool first = pool.state == PoolState::kStarting || pool.state == PoolState::kRunning;
  if (!first && pool.state != PoolState::kClosing) return 0;
  if (first) {
    ChangeState(pool, PoolState::kClosing);
    outcomes.WakeAll();
    AbandonReload(
        pool, MakeError(absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING",
                        absl::StrCat("pool '", pool.spec.name, "' was closed while it was reloaded"), pool.spec.name));
    const std::vector<MapRun*> maps = pool.maps;
    for (MapRun* map : maps) {
      if (map->complete || map->ended) continue;
      map->closed = true;
      CheckMapDone(*map);
    }
  }
  pool.runs_only |= cancel_queued;
  const std::uint64_t cancelled = cancel_queued ? CancelUnbegun(pool) : 0;
  if (pool.unfinished == 0) {
    AnswerOpenCalls(pool,
                    MakeError(absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING",
                              absl::StrCat("pool '", pool.spec.name, "' was closed before it ran"), pool.spec.name));
  }
  Reconcile(pool);
  return cancelled;
}

std::uint64_t Core::State::CancelEverything(Pool& pool, std::string_view why) {
  std::uint64_t cancelled = 0;
  for (Worker* worker : pool.workers) {  // so that nothing begins after it was said to be cancelled
    for (Node* node = worker->sent.back(); node != nullptr; node = worker->sent.Before(node)) {
      worker_port->TakeBack(worker->id, TokenOf(node), 0);
    }
  }
  const auto end = [&](Task& task) {
    ++cancelled;
    EndTask(task, CancelledOutcome(task, why));
  };
  const std::vector<MapRun*> maps = pool.maps;
  for (MapRun* map : maps) {
    ++cancelled;
    map->cut = true;
    DropReadyItems(*map);
    for (const Chunk* chunk : map->chunks) {
      map->cancelled_items += chunk->count - chunk->done;
      pool.stats.cancelled += chunk->count - chunk->done;
    }
    EndMap(*map);
  }
  for (Worker* worker : pool.workers) {
    while (Node* node = worker->sent.front()) {
      Unsend(*AsTask(node));
      end(*AsTask(node));
    }
  }
  scheduler.CloseBreakers(pool);  // what waits there is in the queue again
  for (ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    while (Node* node = ready->Any()) {
      scheduler.Unqueue(*AsTask(node));
      end(*AsTask(node));
    }
  }
  while (Node* node = pool.delayed.front()) {
    scheduler.Unqueue(*AsTask(node));
    end(*AsTask(node));
  }
  return cancelled;
}

void Core::State::TerminatePool(Pool& pool, Nanos grace, std::string_view why) {
  if (!pool.live() && !pool.has_processes()) return;
  if (pool.state == PoolState::kTerminating) return staffing.KillAll(pool, grace);  // perhaps sooner
  ChangeState(pool, PoolState::kTerminating);
  AbandonReload(pool, MakeError(absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING",
                                absl::StrCat("pool '", pool.spec.name, "' was terminated while it was reloaded"),
                                pool.spec.name));
  const std::uint64_t cancelled = CancelEverything(pool, why);
  waits.NoteCancelled(pool.calls, cancelled);
  AnswerOpenCalls(pool,
                  MakeError(absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING",
                            absl::StrCat("pool '", pool.spec.name, "' was terminated before it ran"), pool.spec.name));
  scheduler.Rest(pool);
  staffing.KillAll(pool, grace);
  Advance(pool);
}

// Why a pool that is FAILED takes nothing.
absl::Status Core::State::FailureOf(const Pool& pool) {
  return pool.broken
             ? MakeError(absl::StatusCode::kFailedPrecondition, "POOL_BROKEN",
                         absl::StrCat("pool '", pool.spec.name, "' is broken: ", pool.failure), pool.spec.name)
             : MakeError(absl::StatusCode::kFailedPrecondition, "POOL_FAILED",
                         absl::StrCat("pool '", pool.spec.name, "' has failed: ", pool.failure), pool.spec.name);
}

void Core::State::FailPool(Pool& pool, std::string why) {
  pool.failure = std::move(why);
  ChangeState(pool, PoolState::kFailed);
  AbandonReload(pool, FailureOf(pool));
  CancelEverything(pool, absl::StrCat(pool.broken ? "its pool is broken: " : "its pool failed: ", pool.failure));
  scheduler.Rest(pool);
  staffing.KillAll(pool, 0);
  AnswerOpenCalls(pool, FailureOf(pool));
  watches.PoolEnded(pool.watchers);
  old_pools.push_back(pool.id);
  Advance(pool);
}

void Core::State::Advance(Pool& pool) {
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kStarting) return;
  if (pool.state == PoolState::kClosing && pool.unfinished == 0) {
    staffing.WindDown(pool);
  }
  if (pool.has_processes() || (pool.state == PoolState::kClosing && pool.unfinished > 0)) return;
  const bool had_ended = pool.state == PoolState::kClosed || pool.state == PoolState::kTerminated;
  if (!had_ended && pool.state != PoolState::kFailed) {
    ChangeState(pool, pool.state == PoolState::kClosing ? PoolState::kClosed : PoolState::kTerminated);
    scheduler.Rest(pool);
    scheduler.CloseBreakers(pool);
    old_pools.push_back(pool.id);
  }
  AnswerGone(pool);
  ForgetOldPools();
  CheckAllGone();
}

void Core::State::AnswerGone(Pool& pool) {
  watches.PoolEnded(pool.watchers);
  AnswerOpenCalls(pool,
                  MakeError(absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING",
                            absl::StrCat("pool '", pool.spec.name, "' was closed before it ran"), pool.spec.name));
  waits.PoolGone(pool.calls);
}

void Core::State::ForgetPool(std::map<PoolId, std::shared_ptr<Pool>>::iterator pool) {
  for (const ClientId owner : pool->second->owners.ids()) owned_pools.erase({owner, pool->first});
  pools.erase(pool);
}

// The last ones that are gone can still be looked at, unless somebody said that they are not to be; of a name, the
// newest.
void Core::State::ForgetOldPools() {
  std::erase_if(old_pools, [this](PoolId id) {
    const auto at = pools.find(id);
    if (at == pools.end()) return true;
    const auto named = pools_by_name.find(at->second->spec.name);
    const bool replaced = named == pools_by_name.end() || named->second->id != id;
    if ((!replaced && !at->second->forget) || at->second->has_processes()) return false;
    if (!replaced) pools_by_name.erase(named);
    ForgetPool(at);
    return true;
  });
  for (std::size_t i = 0; old_pools.size() - i > limits.max_pools;) {
    const auto at = pools.find(old_pools[i]);
    if (at == pools.end()) {
      old_pools.erase(old_pools.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (at->second->has_processes()) {
      ++i;
      continue;
    }
    pools_by_name.erase(at->second->spec.name);
    ForgetPool(at);
    old_pools.erase(old_pools.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Core::State::CheckAllGone() {
  if (!shutting_down || told_all_gone) return;
  for (const auto& [id, pool] : pools) {
    if (pool->has_processes() || pool->live()) return;
  }
  told_all_gone = true;
  client_port->AllPoolsGone();
}

}  // namespace poold::core
