// What follows from an event, and what the scheduler finds out meanwhile.
#include "core/state.h"

namespace poold::core {

// REQUIRES: it does not cancel: else at the end of the sweep.
void Core::State::ReconcileNow(Pool& pool) {
  if (pool.scaling.asked()) staffing.Scale(pool);
  scheduler.Dispatch(pool);
  const bool steals = steps.any();
  scheduler.Steal(pool);
  if (pool.scaling.asked()) staffing.Scale(pool);
  scheduler.WatchWaiting(pool);
  if (!steps.any() && (!steals || !pool.ready.empty() || !pool.ready_fresh.empty())) SendMoreLater(pool);
  Advance(pool);
  WakeClients();
}

void Core::State::SendMoreLater(Pool& pool) {
  pool.sends_more = true;
  List(pool);
}

void Core::State::ReconcileWorker(Pool& pool, Worker& worker) {
  const bool some_wake = endings.kept().some_wake();
  if (pool.scaling.asked() || !pool.idle.empty() || some_wake || pool.is_unfinished) return Reconcile(pool);
  const bool nothing_left = scheduler.Refill(pool, worker);
  if (!steps.any()) return SendMoreLater(pool);
  if (pool.scaling.asked()) return Reconcile(pool);
  if (nothing_left) Advance(pool);
}

void Core::State::FunctionIsUnknown(Handle& next) {
  const std::string& name = next.group->pool->functions[next.group->function].name;
  const OutcomePtr outcome =
      NeverStartedOutcome(TaskState::kFailed, "poold.UnknownFunction",
                          "no worker of the pool has the function '" + name + "'", next.group->submitted_at, now);
  if (next.is_map()) {
    maps.EndReady(*AsMap(&next), outcome, &steps);
    maps.CheckDone(*AsMap(&next));
  } else {
    scheduler.Unqueue(*AsTask(&next));
    tasks.End(*AsTask(&next), outcome);
  }
}

}  // namespace poold::core
