// Long work: pools of which everything, or all that has not begun, ends at once; those of which more is to be sent to
// workers than one event may send, or which do not have the functions that were asked for; and items of which more go
// than may go in one event.
//
// Such a pool is in one list until all of its handles were looked at, a slice (Limits::slice) in each entry into the
// core. One that ends takes nothing and sends nothing from the first moment on, and says of each of its handles what
// will become of it: whoever asks for one that was not reached yet ends it by asking.
#include <algorithm>
#include <utility>

#include "core/state.h"

namespace poold::core {

void Core::State::List(Pool& pool) {
  if (!std::exchange(pool.is_unfinished, true)) unfinished_pools.push_back(pools.At(pool.id));
  is_unfinished = true;
}

void Core::State::BeginSweep(Pool& pool, Sweep kind, std::string why) {
  if (pool.sweep >= kind) return;
  if (kind == Sweep::kAll) waits.AnswerCloses(pool.calls, pool.swept);
  if (pool.sweep == Sweep::kNone) pool.swept = 0;
  List(pool);
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
  steps.Begin();
  while (steps.any() && !unconsumed.empty()) {
    const auto [id, range] = unconsumed.front();
    unconsumed.pop_front();
    Handle* const map = store.Find(id);
    if (map != nullptr && map->is_map()) Consume(*AsMap(map), range);
  }
  do {
    if (faults.sweep_at_once) steps.Begin();
    while (steps.any() && !unfinished_pools.empty()) {
      const std::shared_ptr<Pool> pool = std::move(unfinished_pools.front());
      unfinished_pools.pop_front();
      pool->is_unfinished = false;
      GoOn(*pool);
      if (pool->has_more()) List(*pool);  // behind others, which get their turn
    }
  } while (faults.sweep_at_once && !unfinished_pools.empty());
  is_unfinished = !unfinished_pools.empty() || !unconsumed.empty();
  WakeClients();
}

void Core::State::Consume(MapRun& map, ItemRange range) {
  const ItemRange rest = endings.Consume(map, range, &steps);
  if (rest.size() == 0) return;
  unconsumed.emplace_back(map.id, rest);
  is_unfinished = true;
}

void Core::State::GoOn(Pool& pool) {
  if (pool.sweep != Sweep::kNone) {
    if (SweepSome(pool)) EndSweep(pool);
    return;
  }
  if (pool.unknown_from != 0) EndSomeUnknown(pool);
  if (pool.recalls) scheduler.TakeBackHeldCalls(pool);
  pool.sends_more = !steps.any();
  if (pool.sends_more) return;
  if (!pool.gone) Reconcile(pool);
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
bool Core::State::SweepSome(Pool& pool) {
  return (pool.sweep < Sweep::kUnbegun || SweepWorkers(pool)) && SweepMaps(pool) &&
         (pool.sweep < Sweep::kUnbegun || SweepQueues(pool));
}

// What was sent comes back as far as it has not begun, the newest first. A worker is looked at as a whole: it has some
// hundreds of handles at most.
bool Core::State::SweepWorkers(Pool& pool) {
  auto at = std::upper_bound(pool.workers.begin(), pool.workers.end(), pool.swept_worker,
                             [](WorkerId id, const Worker* worker) { return id < worker->id; });
  while (at != pool.workers.end() && steps.any()) {
    Worker& worker = **at++;
    steps.Spend(1 + worker.sent.size());
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
bool Core::State::SweepMaps(Pool& pool) {
  pool.swept_maps = std::min(pool.swept_maps, pool.maps.size());
  while (pool.swept_maps > 0 && steps.any()) {
    MapRun& map = *pool.maps[pool.swept_maps - 1];
    steps.Spend(1);
    if (pool.sweep >= Sweep::kUnbegun && !maps.CutSome(map, &steps)) return false;
    --pool.swept_maps;
    Reach(map);
  }
  return pool.swept_maps == 0;
}

bool Core::State::SweepQueues(Pool& pool) {
  const auto end = [&](Node* node) {
    steps.Spend(1);
    Reach(*static_cast<Handle*>(node));
  };
  for (ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    for (Node* node = nullptr; steps.any() && (node = ready->Any()) != nullptr;) end(node);
  }
  for (Node* node = nullptr; steps.any() && (node = pool.delayed.front()) != nullptr;) end(node);
  for (const PoolFunction& function : pool.functions) {
    while (steps.any() && function.breaker != nullptr && !function.breaker->lines.empty()) {
      end(function.breaker->lines.begin()->second.waiting.front());
    }
  }
  return steps.any();
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
