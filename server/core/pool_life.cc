// Pools open, close, fail and end.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {

absl::Status Core::State::CheckOpen(const PoolSpec& spec, std::uint64_t elsewhere) const {
  if (shutting_down) {
    return MakeError(reason::kShuttingDown, "the daemon is shutting down", "", kSecond);
  }
  if (spec.workers == 0 || spec.workers > limits.max_workers_per_pool) {
    return MakeError(reason::kInvalidField,
                     absl::StrCat("workers is ", spec.workers, "; a pool has 1 to ", limits.max_workers_per_pool),
                     "spec.workers");
  }
  return pools.CheckOpen(spec, elsewhere);
}

void Core::State::OpenPool(SubscriberId call, PoolSpec spec, ClientId owner, std::uint64_t elsewhere,
                           HandleId creation) {
  std::shared_ptr<Pool> pool = pools.FindOrNull(spec.name);
  const bool again = pool != nullptr && creation != HandleId{} && pool->creation == creation;
  const bool may_share = creation == HandleId{} || again;
  const bool same = pool != nullptr && may_share && Pools::SameSpec(*pool, spec) && !shutting_down &&
                    (pool->state == PoolState::kStarting || pool->state == PoolState::kRunning);
  if (!same) {
    if (absl::Status status = CheckOpen(spec, elsewhere); !status.ok()) {
      return client_port->AnswerOpenPool(call, std::move(status), false);
    }
    pool = pools.Open(now, std::move(spec), creation, limits.max_prefetch);
    pool->first_place = store.in_order().next_place();
  }
  pools.AddOwner(now, *pool, owner);
  if (same && pool->state == PoolState::kRunning) {
    return client_port->AnswerOpenPool(call, ViewOf(*pool), again);
  }
  if (call != kNobody) {
    waits.Open(CallsOf(pool), call, /*created=*/!same || again);
  }
  if (!same) staffing.Open(*pool);
}

void Core::State::AnswerOpenCalls(Pool& pool, const absl::Status& status) {
  waits.AnswerOpens(pool.calls, status, [&] { return ViewOf(pool); });
}

void Core::State::ClosePool(Pool& pool, bool cancel_queued) {
  const bool first = pool.state == PoolState::kStarting || pool.state == PoolState::kRunning;
  if (!first && pool.state != PoolState::kClosing) return;
  if (first) {
    ChangeState(pool, PoolState::kClosing);
    endings.kept().WakeAll();
    AbandonReload(
        pool, MakeError(reason::kPoolNotRunning,
                        absl::StrCat("pool '", pool.spec.name, "' was closed while it was reloaded"), pool.spec.name));
  }
  pool.runs_only |= cancel_queued;
  BeginSweep(pool, cancel_queued ? Sweep::kUnbegun : Sweep::kOpenMaps, "its pool was closed");
}

void Core::State::CheckClosed(Pool& pool) {
  if (pool.unfinished == 0) {
    AnswerOpenCalls(
        pool, MakeError(reason::kPoolNotRunning, absl::StrCat("pool '", pool.spec.name, "' was closed before it ran"),
                        pool.spec.name));
  }
  Reconcile(pool);
}

void Core::State::TerminatePool(Pool& pool, Nanos grace, std::string_view why) {
  if (pool.gone) return;
  if (pool.state == PoolState::kTerminating) return staffing.KillAll(pool, grace);  // perhaps sooner
  ChangeState(pool, PoolState::kTerminating);
  AbandonReload(pool, MakeError(reason::kPoolNotRunning,
                                absl::StrCat("pool '", pool.spec.name, "' was terminated while it was reloaded"),
                                pool.spec.name));
  BeginSweep(pool, Sweep::kAll, std::string(why));
  AnswerOpenCalls(
      pool, MakeError(reason::kPoolNotRunning, absl::StrCat("pool '", pool.spec.name, "' was terminated before it ran"),
                      pool.spec.name));
  scheduler.Rest(pool);
  staffing.KillAll(pool, grace);
  Advance(pool);
}

void Core::State::FailPool(Pool& pool, std::string why) {
  pool.failure = std::move(why);
  ChangeState(pool, PoolState::kFailed);
  AbandonReload(pool, FailureOf(pool));
  BeginSweep(pool, Sweep::kAll, absl::StrCat(pool.broken ? "its pool is broken: " : "its pool failed: ", pool.failure));
  scheduler.Rest(pool);
  staffing.KillAll(pool, 0);
  AnswerOpenCalls(pool, FailureOf(pool));
  Advance(pool);
}

void Core::State::Advance(Pool& pool) {
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kStarting) return;
  if (pool.state == PoolState::kClosing && pool.unfinished == 0) {
    staffing.WindDown(pool);
  }
  if (pool.has_processes() || pool.sweep != Sweep::kNone) return;
  if (pool.state == PoolState::kClosing && pool.unfinished > 0) return;
  const bool had_ended = pool.state == PoolState::kClosed || pool.state == PoolState::kTerminated;
  if (!had_ended && pool.state != PoolState::kFailed) {
    ChangeState(pool, pool.state == PoolState::kClosing ? PoolState::kClosed : PoolState::kTerminated);
    scheduler.Rest(pool);
    scheduler.CloseBreakers(pool);
  }
  AnswerGone(pool);
  pools.IsGone(pool);
  CheckAllGone();
}

void Core::State::AnswerGone(Pool& pool) {
  delivery.watches().PoolEnded(pool.watchers);
  AnswerOpenCalls(
      pool, MakeError(reason::kPoolNotRunning, absl::StrCat("pool '", pool.spec.name, "' was closed before it ran"),
                      pool.spec.name));
  waits.PoolGone(pool.calls);
}

void Core::State::CheckAllGone() {
  if (!shutting_down || told_all_gone || !pools.all_gone()) return;
  told_all_gone = true;
  client_port->AllPoolsGone();
}

}  // namespace poold::core
