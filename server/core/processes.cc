// What clients ask of a pool's processes, and what is told of them.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {

void Core::State::AllAreReady(Pool& pool) {
  if (pool.state == PoolState::kStarting) ChangeState(pool, PoolState::kRunning);
  if (pool.state == PoolState::kRunning || pool.state == PoolState::kClosing) AnswerOpenCalls(pool, absl::OkStatus());
}

// What waits for a function that is gone fails. What a breaker held is tried anew after a reload: the new code may be
// better.
void Core::State::FunctionsAreKnown(Pool& pool, bool reloaded) {
  if (reloaded) scheduler.ForgetDeaths(pool);
  EndUnknownFunctions(pool);
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

// What was submitted before the functions were known.
void Core::State::EndUnknownFunctions(Pool& pool) {
  if (pool.cancels()) return;  // all of it is said to be cancelled
  std::vector<Handle*> unknown;
  const auto note = [&](Handle& handle) {
    if (!pool.functions[handle.group->function].known) unknown.push_back(&handle);
  };
  for (const ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    ready->ForEach([&](Node* node) { note(*static_cast<Handle*>(node)); });
  }
  for (Node* node = pool.delayed.front(); node != nullptr; node = pool.delayed.After(node)) note(*AsTask(node));
  for (MapRun* map : pool.maps) {
    if (!map->linked()) note(*map);
  }
  std::string asked;
  std::string hint;
  for (Handle* handle : unknown) {
    const std::string& name = pool.functions[handle->group->function].name;
    // For one name: there may be as many as there are tasks.
    if (asked.empty()) hint = base::DidYouMean(asked = name, pool.FunctionNames());
    std::string message = "pool '" + pool.spec.name + "' has no function '" + name + "'";
    if (name == asked) message += hint;
    const OutcomePtr outcome =
        NeverStartedOutcome(TaskState::kFailed, "poold.UnknownFunction", message, handle->group->submitted_at, now);
    if (handle->is_map()) {
      maps.EndReady(*AsMap(handle), outcome);
      maps.CheckDone(*AsMap(handle));
    } else {
      scheduler.Unqueue(*AsTask(handle));
      tasks.End(*AsTask(handle), outcome);
    }
  }
}

}  // namespace poold::core
