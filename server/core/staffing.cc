// How many workers a pool has, and who comes and goes for that.
//
// One rule serves growing, shrinking, recycling and reloading. A worker that is to be replaced works on until a
// replacement is ready. Then none of those that are to be replaced takes anything more, and the first that has nothing
// goes: so nobody has to guess which of them is done soonest, and there are never fewer ready ones than wanted.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

// Replacements that get ready at a time.
std::uint64_t SurplusOf(std::uint64_t wanted) { return std::max<std::uint64_t>(1, wanted / 8); }

// Those that were told to go and are slow about it are not replaced without end.
std::uint64_t MostProcesses(const Pool& pool) {
  return 3 * std::uint64_t{pool.spec.workers} + 2 * std::uint64_t{pool.spec.spares} + 2;
}

}  // namespace

// Makes the workers what they should be. Call (Reconcile does) when `scaling_due`: something about them has changed.
void Core::State::ScaleWorkers(Pool& pool) {
  pool.scaling_due = false;
  if (!pool.dispatches() || (pool.state == PoolState::kClosing && pool.unfinished == 0)) return;
  StopSurplus(pool);
  StartMissing(pool);
  pool.scaling_due = false;
  CheckReload(pool);
}

// With START_METHOD_FRESH a worker that has its task has been told to go: the others are those that wait for one. So
// the next one is cloned when a task is handed out to the last but `spares`. Elsewhere, what wants a fresh worker gets
// it beside those that have run something: these are not lost to the others.
std::uint64_t Core::State::WantedWorkers(const Pool& pool, const WorkerCounts& counts) {
  if (pool.fresh()) return pool.slots() + pool.spec.spares;
  if (pool.ready_fresh.empty()) return pool.spec.workers;
  const Handle& next = *static_cast<const Handle*>(pool.ready_fresh.Next());
  const std::uint64_t items = next.is_map() ? static_cast<const MapRun&>(next).ready_items() : 1;
  const std::uint64_t waiting = std::max<std::uint64_t>(items, pool.ready_fresh.size());
  const std::uint64_t used = std::min<std::uint64_t>(counts.used, pool.spec.workers);
  return std::max<std::uint64_t>(pool.spec.workers, used + std::min<std::uint64_t>(waiting, pool.spec.workers));
}

void Core::State::StopSurplus(Pool& pool) {
  const WorkerCounts counts = pool.counts;
  const std::uint64_t wanted = WantedWorkers(pool, counts);
  const bool some_leave = counts.staying < counts.live;
  std::uint64_t surplus = counts.ready > wanted ? counts.ready - wanted : 0;
  const bool many_used = !pool.ready_fresh.empty() && surplus == 0 && counts.used > pool.spec.workers;
  if (many_used) {
    StopUsed(pool, counts.used - pool.spec.workers);
  }
  for (Node* node = pool.idle.front(); node != nullptr && surplus > 0;) {
    Worker& worker = *AsWorker(node);
    node = pool.idle.After(node);
    if (some_leave && !pool.Leaving(worker)) continue;
    Stop(worker);
    --surplus;
  }
  pool.draining = some_leave && surplus > 0;
}

// Those that were kept for what wants a fresh worker and got something else are in the way of others like them.
void Core::State::StopUsed(Pool& pool, std::uint64_t most) {
  for (Node* node = pool.idle.front(); node != nullptr && most > 0;) {
    Worker& worker = *AsWorker(node);
    node = pool.idle.After(node);
    if (worker.dispatches == 0) continue;
    Stop(worker);
    --most;
  }
}

void Core::State::StartMissing(Pool& pool) {
  WorkerCounts counts = pool.counts;
  const std::uint64_t wanted = WantedWorkers(pool, counts);
  Generation& newest = pool.reload == ReloadLife::kReplacing ? *pool.next : *pool.present;
  StartZygotes(pool, counts.live < wanted);
  const auto start = [&](Generation& origin, std::uint64_t most) {
    while (origin.may_start() && counts.live < most && pool.workers.size() < MostProcesses(pool)) {
      StartWorker(origin);
      ++counts.live;
      counts.staying += origin.first >= pool.stale_below;
    }
  };
  start(newest, wanted);
  start(*pool.present, wanted);  // while the next generation has its pauses
  if (counts.staying < wanted)
    start(newest, std::min(wanted + SurplusOf(wanted), counts.live + wanted - counts.staying));
}

// The zygote of a generation that is being replaced is not needed until workers are.
void Core::State::StartZygotes(Pool& pool, bool missing) {
  for (Generation* generation : {pool.next.get(), pool.present.get()}) {
    if (generation == nullptr || generation->zygote != ZygoteState::kGone || generation->tries.pauses()) {
      continue;
    }
    if (generation == pool.present.get() && pool.next != nullptr && !(missing && !pool.next->may_start())) continue;
    StartZygote(*generation);
  }
}

// Those that serve nobody yet go first, then idle ones, then busy ones after what they run.
void Core::State::Shrink(Pool& pool) {
  std::vector<Worker*> live;
  for (Worker* worker : pool.workers) {
    if (worker->live()) live.push_back(worker);
  }
  const auto usefulness = [&pool](const Worker* worker) {
    const int leaving = pool.Leaving(*worker) ? 0 : 1;
    return !worker->ready() ? 0 : worker->sent.empty() ? 1 + leaving : 3 + leaving;
  };
  std::stable_sort(live.begin(), live.end(),
                   [&](const Worker* a, const Worker* b) { return usefulness(a) < usefulness(b); });
  const std::uint64_t wanted = WantedWorkers(pool, pool.counts);
  for (std::size_t i = 0; i + wanted < live.size(); ++i) {
    Worker& worker = *live[i];
    Node* head = worker.sent.front();
    if (head != nullptr && scheduler.TakeBackBehind(worker, head) && head->kind == NodeKind::kChunk) {
      TakeBackItems(*AsChunk(head), 0);
    }
    Stop(worker);
  }
}

absl::StatusOr<PoolView> Core::State::Resize(std::string_view name, std::uint32_t workers) {
  absl::StatusOr<std::shared_ptr<Pool>> found = FindPool(name);
  if (!found.ok()) return found.status();
  Pool& pool = **found;
  if (workers == 0 || workers > limits.max_workers_per_pool) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_FIELD",
                     absl::StrCat("workers is ", workers, "; a pool has 1 to ", limits.max_workers_per_pool),
                     "workers");
  }
  if (absl::Status status = CheckRuns(pool); !status.ok()) return status;
  const bool fewer = workers < pool.spec.workers;
  pool.spec.workers = workers;
  if (fewer) Shrink(pool);
  CheckRunning(pool);
  pool.scaling_due = true;
  TellPoolWatchers(pool);
  Reconcile(pool);
  return ViewOf(pool);
}

}  // namespace poold::core
