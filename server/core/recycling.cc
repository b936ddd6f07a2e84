// Workers that are replaced because of their memory or their age, or killed because of their memory.
//
// A worker that is due for replacement works on until a replacement is ready: staffing.cc. Who is above
// memory_limit_bytes endangers others, so it goes at once, and its task ends as in any other crash.
#include "core/state.h"

namespace poold::core {

void Core::State::TakeUsage(Worker& worker, std::uint64_t rss_bytes) {
  const PoolSpec& spec = worker.pool->spec;
  worker.rss_bytes = rss_bytes;
  if (spec.memory_limit_bytes != 0 && rss_bytes > spec.memory_limit_bytes) {
    if (worker.killed_by != KilledBy::kUnspecified) return;
    Kill(worker, KilledBy::kMemoryLimit, 0);
    Reconcile(*std::shared_ptr<Pool>(worker.pool));
  } else if (spec.max_worker_rss_bytes != 0 && rss_bytes > spec.max_worker_rss_bytes && worker.dispatches > 0) {
    WearOut(worker);  // one that has run nothing is as small as they get
  }
}

void Core::State::WorkerIsOld(Worker& worker) { WearOut(worker); }

void Core::State::WearOut(Worker& worker) {
  if (worker.replacement_due || !worker.live()) return;
  const std::shared_ptr<Pool> pool = worker.pool;
  worker.replacement_due = true;
  pool->Recount(worker);
  ++pool->stats.recycled;
  pool->scaling_due = true;
  if (faults.replace_early) Stop(worker);
  Reconcile(*pool);
}

}  // namespace poold::core
