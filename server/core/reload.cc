// Reload: another generation of a pool gets ready beside the present one and replaces it, or is dropped.
//
// While the next one's zygote starts, nothing changes. When it is ready, the workers of the present one are stale, and
// staffing.cc replaces them one after the other. When the last of them is gone, the next one is the pool's. When it
// does not start, those of its workers that did are due for replacement, and are replaced in the same way by the
// present one's.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {

// OK if it takes work or will.
absl::Status Core::State::CheckRuns(const Pool& pool) const {
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kStarting) return absl::OkStatus();
  if (pool.state == PoolState::kFailed) return FailureOf(pool);
  return MakeError(absl::StatusCode::kFailedPrecondition, "POOL_NOT_RUNNING",
                   absl::StrCat("pool '", pool.spec.name, "' was closed; open it anew"), pool.spec.name);
}

void Core::State::Reload(SubscriberId call, std::string_view name) {
  absl::StatusOr<std::shared_ptr<Pool>> found = FindPool(name);
  if (!found.ok()) return client_port->AnswerReload(call, found.status());
  Pool& pool = **found;
  if (absl::Status status = CheckRuns(pool); !status.ok()) return client_port->AnswerReload(call, status);
  waits.Reload(CallsOf(*found), call);
  pool.reload_wanted = true;
  if (pool.state == PoolState::kRunning && pool.next == nullptr) BeginReload(pool);
}

void Core::State::BeginReload(Pool& pool) {
  pool.reload_wanted = false;
  waits.ReloadBegins(pool.calls);
  lives.Move(pool.reload, ReloadLife::kPreparing);
  pool.next = std::make_unique<Generation>(&pool, &timers);
  StartZygote(*pool.next);
  TellPoolWatchers(pool);
}

// Over when nobody of the present generation is left.
void Core::State::CheckReload(Pool& pool) {
  if (pool.reload != ReloadLife::kReplacing) return;
  for (const Worker* worker : pool.workers) {
    if (worker->origin < pool.stale_below) return;
  }
  if (pool.counts.ready < pool.spec.workers) return;
  StopZygote(*pool.present);
  lives.Move(pool.reload, ReloadLife::kNone);
  pool.present = std::move(pool.next);
  pool.reload_failure.clear();
  ++pool.stats.reloads;
  ForgetFunctions(pool);
  EndReload(pool, absl::OkStatus());
}

void Core::State::RollBack(Pool& pool, std::string_view why) {
  pool.reload_failure = std::string(why);
  ++pool.stats.rollbacks;
  DropNext(pool);
  for (Worker* worker : pool.workers) worker->replacement_due |= worker->origin > pool.present->first;
  pool.RecountAll();
  EndReload(pool,
            MakeError(absl::StatusCode::kFailedPrecondition, "RELOAD_FAILED",
                      absl::StrCat("the reload of pool '", pool.spec.name, "' was rolled back: ", pool.reload_failure),
                      pool.spec.name));
}

// It ends, so nobody is replaced any more; what the next generation has ready helps to the end.
void Core::State::AbandonReload(Pool& pool, const absl::Status& status) {
  pool.reload_wanted = false;
  if (pool.next != nullptr) DropNext(pool);
  waits.RefuseReloads(pool.calls, status);
}

void Core::State::DropNext(Pool& pool) {
  StopZygote(*pool.next);
  lives.Move(pool.reload, ReloadLife::kNone);
  pool.stale_below = pool.present->first;
  const std::uint32_t origin = pool.next->first;
  pool.next = nullptr;
  pool.RecountAll();
  pool.scaling_due = true;
  const std::vector<Worker*> workers = pool.workers;
  for (Worker* worker : workers) {
    if (worker->origin == origin && !worker->ready()) Kill(*worker, KilledBy::kTerminate, 0);
  }
}

void Core::State::EndReload(Pool& pool, const absl::Status& status) {
  waits.AnswerReloads(pool.calls, status, [&] { return ViewOf(pool); });
  TellPoolWatchers(pool);
  if (pool.reload_wanted && pool.state == PoolState::kRunning) BeginReload(pool);
}

// The functions are those of the new workers; what waits for one that is gone fails. What a breaker held is tried anew:
// the new code may be better.
void Core::State::ForgetFunctions(Pool& pool) {
  scheduler.CloseBreakers(pool);
  for (PoolFunction& function : pool.functions) function.deaths = 0;
  for (std::uint32_t number = 0; number < pool.functions.size(); ++number) {
    pool.functions[number].known =
        std::any_of(pool.workers.begin(), pool.workers.end(), [number](const Worker* worker) {
          return worker->functions != nullptr && number < worker->functions->size() &&
                 (*worker->functions)[number] >= 0;
        });
  }
  EndUnknownFunctions(pool);
}

}  // namespace poold::core
