#include "core/read/task_waits.h"

#include "absl/container/flat_hash_set.h"
#include "core/handles.h"
#include "core/worker.h"

namespace poold::core {
namespace {

Need NeedOf(const Handle& handle) {
  const Pool& pool = *handle.group->pool;
  Need need{pool.id, pool.spec.workers, !pool.dispatches(), WorkerId{}};
  if (handle.is_map()) return need;
  const Worker* worker = static_cast<const Task&>(handle).worker;
  if (worker != nullptr && worker->sent.front() == &handle) need.runner = worker->id;
  return need;
}

// The task that asked runs still. `worker`: on which; null: it has ended.
bool WaitsStill(const Wait& wait, const Worker* worker) {
  return worker != nullptr && worker->sent.front() != nullptr && TokenOf(worker->sent.front()) == wait.from_attempt;
}

}  // namespace

std::vector<WaitingWorker> WaitsOfTasks(const Waits& waits, FindWorkerRef find) {
  std::vector<WaitingWorker> waiting;
  for (const Wait* wait : waits.of_tasks()) {
    if (!WaitsStill(*wait, find(wait->from))) continue;
    WaitingWorker one{wait->from, find(wait->from)->pool->id, wait->for_all(), wait->left > kMostNeedsLookedAt, {}};
    for (const Wait::Entry& entry : wait->entries) {
      if (one.unknown) break;
      if (entry.handle != nullptr && !entry.done) one.Add(NeedOf(entry.handle->handle()));
    }
    waiting.push_back(std::move(one));
  }
  return waiting;
}

std::uint64_t WaitingWorkers(const Pool& pool, const Waits& waits, FindWorkerRef find) {
  absl::flat_hash_set<WorkerId> waiting;
  for (const Wait* wait : waits.of_tasks()) {
    if (WaitsStill(*wait, find(wait->from)) && find(wait->from)->pool.get() == &pool) waiting.insert(wait->from);
  }
  return waiting.size();
}

}  // namespace poold::core
