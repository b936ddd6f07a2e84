// How many workers there are, and that nobody goes before there is a replacement.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {
namespace {

struct Staff {
  std::uint64_t live = 0;  // that were not told to go
  std::uint64_t ready = 0;
  std::uint64_t used = 0;
};

Staff StaffOf(const Pool& pool) {
  Staff staff;
  for (const Worker* worker : pool.workers) {
    if (!worker->live()) continue;
    ++staff.live;
    staff.ready += worker->ready();
    staff.used += worker->dispatches > 0;
  }
  return staff;
}

WorkerCounts CountsOf(const Pool& pool) {
  WorkerCounts counts;
  for (const Worker* worker : pool.workers) {
    counts.all_ready += worker->ready();
    counts.stale += worker->origin < pool.stale_below;
    if (!worker->live()) continue;
    ++counts.live;
    counts.ready += worker->ready();
    counts.staying += !worker->replacement_due && worker->origin >= pool.stale_below;
    counts.used += worker->dispatches > 0;
  }
  return counts;
}

// At least so many are wanted that take work.
std::uint64_t Wanted(const Pool& pool) { return pool.fresh() ? pool.slots() + pool.spec.spares : pool.spec.workers; }

std::uint64_t MostProcesses(const Pool& pool) {
  return 3 * std::uint64_t{pool.spec.workers} + 2 * std::uint64_t{pool.spec.spares} + 2;
}

}  // namespace

void World::NoteStart(PoolId id, WorkerId worker) {
  ledger_.workers[worker];
  const Pool& pool = *FindPool(id);
  const std::uint64_t workers = pool.spec.workers;
  if (pool.workers.size() > MostProcesses(pool)) ledger_.Wrong("pool " + pool.spec.name + " has workers without end");
  // What wants a fresh worker gets it beside the used ones; and some are replaced at a time.
  const std::uint64_t wanted = pool.fresh()               ? workers + pool.spec.spares
                               : pool.ready_fresh.empty() ? workers
                                                          : 2 * workers;
  if (StaffOf(pool).live > wanted + std::max<std::uint64_t>(1, wanted / 8)) {
    ledger_.Wrong("pool " + pool.spec.name + " has more workers than it is to have");
  }
  if (!pool.dispatches()) ledger_.Wrong("a worker was started in a pool that has ended");
}

// Whoever goes because it has run enough, or is not ready yet, is replaced meanwhile. Nobody else goes before its
// replacement is ready.
void World::NoteStop(PoolId id, WorkerId worker_id) {
  const Pool& pool = *FindPool(id);
  if (!pool.dispatches() || (pool.state == PoolState::kClosing && pool.unfinished == 0)) return;
  const auto at = std::find_if(pool.workers.begin(), pool.workers.end(),
                               [worker_id](const Worker* worker) { return worker->id == worker_id; });
  if (at == pool.workers.end()) return ledger_.Wrong("a worker was told to go that is gone");
  const Worker& worker = **at;
  const std::uint32_t most = pool.spec.max_tasks_per_worker;
  if (!worker.ready() || (most != 0 && worker.dispatches >= most)) return;
  for (const Node* node = worker.sent.front(); node != nullptr; node = worker.sent.After(node)) {
    const Handle& handle = node->kind == NodeKind::kTask ? *static_cast<const Handle*>(static_cast<const Task*>(node))
                                                         : *static_cast<const Chunk*>(node)->map;
    if (pool.RunsAlone(handle)) return;
  }
  if (StaffOf(pool).ready < Wanted(pool)) ledger_.Wrong("a worker was told to go before its replacement was ready");
}

void World::CheckStaff(const Pool& pool) {
  std::uint64_t busy = 0;
  for (const Worker* worker : pool.workers) busy += !worker->sent.empty();
  if (busy != pool.busy) ledger_.Wrong("the count of busy workers is wrong");
  if (CountsOf(pool) != pool.counts) ledger_.Wrong("the counts of workers are not what a walk over them counts");
  // It is tried four times, with all that are wanted; those that are slow to fail are replaced between.
  std::uint64_t& workers = ledger_.pools.at(pool.id).most_workers;
  workers = std::max<std::uint64_t>(workers, pool.spec.workers);
  for (auto at = ledger_.generations.lower_bound({pool.id, 0}); at != ledger_.generations.end(); ++at) {
    if (at->first.first != pool.id || !pool.dispatches()) break;
    if (pool.has_run && at->first.second == pool.present->first) continue;  // that is tried without an end
    if (at->second.failures_in_a_row > 6 * (2 * workers + pool.spec.spares + 1)) {
      ledger_.Wrong("pool " + pool.spec.name + " starts what does not start again and again");
    }
  }
  if (pool.sends_more) return;  // in the next slice
  if (pool.state != PoolState::kRunning && pool.state != PoolState::kStarting) return;
  if (pool.scaling.asked()) ledger_.Wrong("something about the workers changed, and nobody looked");
  const Staff staff = StaffOf(pool);
  const bool could = pool.present->may_start() && pool.workers.size() < MostProcesses(pool);
  if (could && staff.live < Wanted(pool)) {
    ledger_.Wrong("a worker of pool " + pool.spec.name + " is missing, and nobody starts it");
  }
  // A pool that was made smaller may have too many that are busy.
  const bool in_the_way = staff.used > pool.spec.workers && pool.busy >= staff.used;
  if (could && !pool.ready_fresh.empty() && staff.live == staff.used && !in_the_way) {
    ledger_.Wrong("what wants a fresh worker waits in pool " + pool.spec.name + ", and nobody starts one");
  }
}

// A worker died that should not have: the pool has FAILED, and nothing of it goes on.
void World::CheckStrict(PoolId id) {
  ledger_.pools.at(id).broken = true;
  const Pool* pool = FindPool(id);
  if (pool == nullptr) return;
  if (pool->state != PoolState::kFailed) ledger_.Wrong("a strict pool outlived its worker");
  if (pool->sweep != Sweep::kNone) return;  // it is said to have ended
  if (pool->unfinished > 0) ledger_.Wrong("something of a broken pool has not ended");
  for (const auto& [handle_id, known] : ledger_.handles) {
    if (known.pool_id != id || known.released) continue;
    const Handle* handle = peer_.Find(handle_id);
    if (handle != nullptr && !handle->ended()) ledger_.Wrong("a handle of a broken pool has not ended");
  }
}

}  // namespace poold::core::sim
