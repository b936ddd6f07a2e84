// What clients ask of a pool's processes, and what is told of them.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

// What to say of functions that a pool does not have.
class UnknownFunction {
 public:
  explicit UnknownFunction(const Pool& pool) : pool_(pool) {}
  std::string Of(std::uint32_t function) {
    const std::string& name = pool_.functions[function].name;
    // For one name: there may be as many as there are tasks.
    if (asked_.empty()) hint_ = base::DidYouMean(asked_ = name, pool_.FunctionNames());
    return "pool '" + pool_.spec.name + "' has no function '" + name + "'" + (name == asked_ ? hint_ : "");
  }

 private:
  const Pool& pool_;
  std::string asked_;
  std::string hint_;
};

}  // namespace

void Core::State::AllAreReady(Pool& pool) {
  if (pool.state == PoolState::kStarting) ChangeState(pool, PoolState::kRunning);
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kClosing) AnswerOpenCalls(pool, absl::OkStatus());
}

// What waits for a function that is gone fails. What a breaker held is tried anew after a reload: the new code may be
// better.
void Core::State::FunctionsAreKnown(Pool& pool, bool reloaded) {
  if (reloaded) scheduler.ForgetDeaths(pool);
  const auto is_known = [](const PoolFunction& function) { return function.known; };
  if (std::all_of(pool.functions.begin(), pool.functions.end(), is_known)) return;
  pool.unknown_from = pool.first_place;
  EndSomeUnknown(pool);
}

void Core::State::ReloadEnds(Pool& pool, bool replaced) {
  const absl::Status status =
      replaced
          ? absl::OkStatus()
          : MakeError(reason::kReloadFailed,
                      absl::StrCat("the reload of pool '", pool.spec.name, "' was rolled back: ", pool.reload_failure),
                      pool.spec.name);
  waits.AnswerReloads(pool.calls, status, [&] { return ViewOf(pool); });
  TellPoolWatchers(pool);
}

void Core::State::AbandonReload(Pool& pool, const absl::Status& status) {
  staffing.AbandonReload(pool);
  waits.RefuseReloads(pool.calls, status);
}

void Core::State::Reload(SubscriberId call, std::string_view name) {
  absl::StatusOr<std::shared_ptr<Pool>> found = pools.Find(name);
  if (!found.ok()) return client_port->AnswerReload(call, found.status());
  Pool& pool = **found;
  if (absl::Status status = CheckRuns(pool); !status.ok()) return client_port->AnswerReload(call, status);
  waits.Reload(CallsOf(*found), call);
  staffing.Reload(pool);
}

absl::StatusOr<PoolView> Core::State::Resize(std::string_view name, std::uint32_t workers) {
  absl::StatusOr<std::shared_ptr<Pool>> found = pools.Find(name);
  if (!found.ok()) return found.status();
  Pool& pool = **found;
  if (workers == 0 || workers > limits.max_workers_per_pool) {
    return MakeError(reason::kInvalidField,
                     absl::StrCat("workers is ", workers, "; a pool has 1 to ", limits.max_workers_per_pool),
                     "workers");
  }
  if (absl::Status status = CheckRuns(pool); !status.ok()) return status;
  const bool fewer = workers < pool.spec.workers;
  pool.spec.workers = workers;
  if (fewer) {
    for (Worker* worker : Staffing::Surplus(pool)) {
      scheduler.TakeBackUnbegun(*worker);
      staffing.Stop(*worker);
    }
  }
  staffing.CheckReady(pool);
  pool.scaling.Ask();
  TellPoolWatchers(pool);
  Reconcile(pool);
  return ViewOf(pool);
}

// What was submitted before the functions were known: a step for each handle that is looked at, and for each that ends.
// What nobody can name any more is not in the list, and ends when its turn comes.
void Core::State::EndSomeUnknown(Pool& pool) {
  std::vector<HandleId> unknown;
  std::uint64_t looked_at = 0;
  const std::uint64_t most = (steps.left() + 1) / 2;  // what is left is for those that end
  pool.unknown_from = store.in_order().Walk(pool.unknown_from, [&](const Handle& handle) {
    if (looked_at == most) return false;
    ++looked_at;
    const bool ours = handle.group->pool.get() == &pool && !handle.ended();
    if (ours && !pool.functions[handle.group->function].known) unknown.push_back(handle.id);
    return true;
  });
  steps.Spend(looked_at);
  UnknownFunction why(pool);
  for (const HandleId& id : unknown) {
    Handle* const handle = store.Find(id);  // what ends may make others go
    if (handle != nullptr && !handle->ended() && !pool.cancels()) EndUnknown(*handle, why.Of(handle->group->function));
  }
  if (pool.cancels()) pool.unknown_from = 0;  // all of it is said to be cancelled
  if (pool.unknown_from != 0) List(pool);
}

void Core::State::EndUnknown(Handle& handle, std::string message) {
  const OutcomePtr outcome = NeverStartedOutcome(TaskState::kFailed, "poold.UnknownFunction", std::move(message),
                                                 handle.group->submitted_at, now);
  if (handle.is_map()) {
    MapRun& map = *AsMap(&handle);
    if (!maps.EndReady(map, outcome, &steps) && !map.released) {
      std::uint64_t& from = map.group->pool->unknown_from;
      from = std::min(from - 1, HandleList::PlaceOf(map) - 1) + 1;  // 0 is behind all
    }
    return maps.CheckDone(map);
  }
  steps.Spend(1);
  if (AsTask(&handle)->worker != nullptr) return;  // it is known there, or was
  scheduler.Unqueue(*AsTask(&handle));
  tasks.End(*AsTask(&handle), outcome);
}

}  // namespace poold::core
