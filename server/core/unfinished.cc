// Long work: pools of which everything, or all that has not begun, ends at once.
//
// Such a pool is in one list until all of its handles were looked at, a slice (Limits::slice) in each entry into the
// core. From the first moment on it takes nothing and sends nothing, and says of each of its handles what will become
// of it: whoever asks for one that was not reached yet ends it by asking.
#include <algorithm>
#include <utility>

#include "core/state.h"

namespace poold::core {

void Core::State::BeginSweep(Pool& pool, Sweep kind, std::string why) {
  if (pool.sweep >= kind) return;
  if (kind == Sweep::kAll) waits.AnswerCloses(pool.calls, pool.swept);
  if (pool.sweep == Sweep::kNone) {
    pool.swept = 0;
    unfinished_pools.push_back(pools.At(pool.id));
  }
  pool.sweep = kind;
  pool.sweep_why = std::move(why);
  pool.swept_worker = WorkerId{};
  pool.swept_maps = pool.maps.size();
  if (kind == Sweep::kAll) scheduler.CloseBreakers(pool);  // what waits there is in the queue again
  sweep_began = true;
}

void Core::State::RunSlice() {
  sweep_began = false;
  slice_done = true;
  std::size_t left = faults.sweep_at_once ? ~std::size_t{0} : limits.slice;
  while (left > 0 && !unfinished_pools.empty()) {
    const std::shared_ptr<Pool> pool = std::move(unfinished_pools.front());
    unfinished_pools.pop_front();
    if (SweepSome(*pool, &left)) {
      EndSweep(*pool);
    } else {
      unfinished_pools.push_back(pool);  // others get their turn
    }
  }
  WakeClients();
}

void Core::State::EndSweep(Pool& pool) {
  const bool all = pool.sweep == Sweep::kAll;
  pool.sweep = Sweep::kNone;
  if (all) waits.NoteCancelled(pool.calls, pool.swept);
  waits.AnswerCloses(pool.calls, pool.swept);
  if (pool.state == PoolState::kFailed) delivery.watches().PoolEnded(pool.watchers);
  all ? Advance(pool) : CheckClosed(pool);
}

// Steps are counted in handles, and in parts of maps that are looked at one by one.
bool Core::State::SweepSome(Pool& pool, std::size_t* left) {
  return (pool.sweep < Sweep::kUnbegun || SweepWorkers(pool, left)) && SweepMaps(pool, left) &&
         (pool.sweep < Sweep::kUnbegun || SweepQueues(pool, left));
}

// What was sent comes back as far as it has not begun, the newest first. A worker is looked at as a whole: it has some
// hundreds of handles at most.
bool Core::State::SweepWorkers(Pool& pool, std::size_t* left) {
  auto at = std::upper_bound(pool.workers.begin(), pool.workers.end(), pool.swept_worker,
                             [](WorkerId id, const Worker* worker) { return id < worker->id; });
  while (at != pool.workers.end() && *left > 0) {
    Worker& worker = **at++;
    Spend(left, 1 + worker.sent.size());
    pool.swept_worker = worker.id;
    if (pool.sweep == Sweep::kAll) {
      SweepSent(worker);
      continue;
    }
    for (Node* node = worker.sent.back(); node != nullptr;) {
      Node* const before = worker.sent.Before(node);
      if (node->kind == NodeKind::kTask) scheduler.TakeBackTask(*AsTask(node));
      node = before;
    }
  }
  return at == pool.workers.end();
}

// So that it does not begin after it was said to be cancelled.
void Core::State::TakeBackAll(const Worker& worker, const Node* node) {
  if (worker.life != WorkerLife::kLost) worker_port->TakeBack(worker.id, TokenOf(node), 0);
}

void Core::State::SweepSent(Worker& worker) {
  for (Node* node = worker.sent.back(); node != nullptr; node = worker.sent.Before(node)) TakeBackAll(worker, node);
  while (Node* node = worker.sent.front()) {
    if (node->kind == NodeKind::kTask) {
      Reach(*AsTask(node));
      continue;
    }
    Chunk& chunk = *AsChunk(node);
    chunk.map->items.NoteCancelled(chunk.count - chunk.done);
    worker.pool->stats.cancelled += chunk.count - chunk.done;
    scheduler.Unsend(chunk);
  }
}

// From the last one on: one that ends leaves its place to one that was looked at.
bool Core::State::SweepMaps(Pool& pool, std::size_t* left) {
  pool.swept_maps = std::min(pool.swept_maps, pool.maps.size());
  while (pool.swept_maps > 0 && *left > 0) {
    MapRun& map = *pool.maps[pool.swept_maps - 1];
    Spend(left, 1);
    if (pool.sweep >= Sweep::kUnbegun && !maps.CutSome(map, left)) return false;
    --pool.swept_maps;
    Reach(map);
  }
  return pool.swept_maps == 0;
}

bool Core::State::SweepQueues(Pool& pool, std::size_t* left) {
  const auto end = [&](Node* node) {
    Spend(left, 1);
    Reach(*static_cast<Handle*>(node));
  };
  for (ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    for (Node* node = nullptr; *left > 0 && (node = ready->Any()) != nullptr;) end(node);
  }
  for (Node* node = nullptr; *left > 0 && (node = pool.delayed.front()) != nullptr;) end(node);
  for (const PoolFunction& function : pool.functions) {
    while (*left > 0 && function.breaker != nullptr && !function.breaker->lines.empty()) {
      end(function.breaker->lines.begin()->second.waiting.front());
    }
  }
  return *left > 0;
}

bool Core::State::Reach(Handle& handle) {
  Pool& pool = *handle.group->pool;
  if (handle.ended() || pool.sweep == Sweep::kNone) return false;
  const std::uint64_t before = pool.unfinished;
  handle.is_map() ? ReachMap(*AsMap(&handle)) : ReachTask(*AsTask(&handle));
  if (pool.unfinished == before) return false;
  pool.swept += before - pool.unfinished;
  return true;
}

void Core::State::ReachTask(Task& task) {
  const Pool& pool = *task.group->pool;
  if (pool.sweep < Sweep::kUnbegun) return;
  if (task.worker == nullptr) {
    scheduler.Unqueue(task);
  } else if (pool.sweep == Sweep::kAll) {
    TakeBackAll(*task.worker, &task);
    scheduler.Unsend(task);
  } else {
    return;  // it may have begun
  }
  tasks.EndCancelled(task, pool.sweep_why);
}

void Core::State::ReachMap(MapRun& map) {
  const Pool& pool = *map.group->pool;
  if (pool.sweep < Sweep::kUnbegun) {
    if (!map.complete) maps.Close(map);
    return;
  }
  if (pool.sweep == Sweep::kUnbegun) {
    maps.Cut(map);
    return maps.CheckDone(map);
  }
  for (const Chunk* chunk : map.chunks) TakeBackAll(*chunk->worker, chunk);
  maps.Abandon(map);
}

absl::StatusOr<Handle*> Core::State::Get(const HandleId& id) {
  if (Handle* const handle = store.Find(id)) ReachAsked(*handle);
  return store.Get(id);
}

void Core::State::ReachListed(std::uint64_t from) {
  std::vector<HandleId> ids;
  std::uint32_t looked_at = 0;
  store.in_order().Walk(from, [&](const Handle& handle) {
    if (!handle.ended() && handle.group->pool->sweep != Sweep::kNone) ids.push_back(handle.id);
    return ++looked_at <= kMostListed;
  });
  for (const HandleId& id : ids) {
    if (Handle* const handle = store.Find(id)) ReachAsked(*handle);
  }
}

}  // namespace poold::core
