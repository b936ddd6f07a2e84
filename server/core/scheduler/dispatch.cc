// What goes to which worker, and when.
//
// A worker that has nothing gets something at once. Beyond that, work is sent ahead only when it is known to be short:
// about kAheadTime of it for each worker, so that it does not wait for us between two tasks.
#include <algorithm>

#include "core/scheduler/chunk_size.h"
#include "core/state.h"

namespace poold::core {
namespace {

// What a claim word counts.
constexpr std::uint64_t kMostAsked = (1u << 24) - 1;

// What is counted for the outcome of one call.
double OutcomeBytes(const Handle& called, const PoolFunction& function) {
  return function.result_bytes + (called.is_map() ? 4.0 : static_cast<double>(kOutcomeOverhead));
}

}  // namespace

void Core::State::Queue(Task& task, bool in_front) {
  Pool& pool = *task.group->pool;
  ++pool.stats.queued;
  pool.stats.queued_bytes += task.body.size();
  task.state = TaskState::kQueued;
  task.delayed = task.not_before > now;
  if (task.delayed) {
    pool.delayed.PushBack(&task);
  } else if (in_front) {
    task.group->ready->PushFront(task.group->queue, &task);
  } else {
    task.group->ready->PushBack(task.group->queue, &task);
  }
  NoteFresh(*task.group);
  if (task.delayed || task.group->timed) ArmTask(task);
}

void Core::State::Unqueue(Task& task) {
  Pool& pool = *task.group->pool;
  --pool.stats.queued;
  pool.stats.queued_bytes -= task.body.size();
  if (task.delayed) {
    pool.delayed.Remove(&task);
    task.delayed = false;
  } else {
    LeaveLine(task);
    NoteFresh(*task.group);
  }
}

void Core::State::QueueMap(MapRun& map, bool in_front) {
  if (map.linked() || map.ended || map.ready_items() == 0 || map.not_before > now) return;
  ReadyQueue& ready = *map.group->ready;
  NoteFresh(*map.group);
  in_front ? ready.PushFront(map.group->queue, &map) : ready.PushBack(map.group->queue, &map);
  if (map.group->timed && map.timer == kNoTimer) ArmMap(map);
}

void Core::State::UnqueueMap(MapRun& map) {
  if (!map.linked()) return;
  LeaveLine(map);
  NoteFresh(*map.group);
}

// Workers are kept ready for what waits in ready_fresh.
void Core::State::NoteFresh(const Group& group) {
  if (group.ready == &group.pool->ready_fresh) group.pool->scaling_due = true;
}

void Core::State::Reconcile(Pool& pool) {
  if (pool.scaling_due) ScaleWorkers(pool);
  Pump(pool);
  Steal(pool);
  if (pool.scaling_due) ScaleWorkers(pool);
  WatchWaiting(pool);
  Advance(pool);
  WakeClients();
}

void Core::State::ReconcileWorker(Pool& pool, Worker& worker) {
  if (pool.scaling_due || !pool.idle.empty() || outcomes.some_wake()) return Reconcile(pool);
  if (pool.breakers_open > 0) {
    CallForProbes(pool);
    if (pool.scaling_due) return Reconcile(pool);  // one was called that wants a fresh worker
  }
  if (pool.ready.empty()) return Advance(pool);
  if (!Refills(worker, limits.max_prefetch)) return;
  const Handle* next = NextToSend(pool.ready);
  if (next == nullptr) return pool.scaling_due ? Reconcile(pool) : Advance(pool);
  if (Takes(worker, *next)) Fill(pool.ready, worker, limits.max_prefetch);
  if (pool.scaling_due) return Reconcile(pool);  // that was its last: the one that replaces it gets ready meanwhile
  WatchWaiting(pool);
}

void Core::State::Pump(Pool& pool) {
  if (!pool.functions_known || !pool.dispatches()) return;
  bool made_way = false;
  for (;;) {
    if (pool.breakers_open > 0) CallForProbes(pool);
    const Handle* next = NextToSend(pool.ready);
    if (next == nullptr) {
      const bool none = NextToSend(pool.ready_fresh) == nullptr;
      if (!pool.ready.empty()) continue;  // one there was held up, and another one is called for its probe
      if (none) break;
    }
    Worker* unused = pool.ready_fresh.empty() || !pool.has_slot() ? nullptr : pool.UnusedIdle();
    Worker* worker = next == nullptr || (unused != nullptr && pool.FreshIsNext()) ? nullptr : ChooseWorker(pool, *next);
    if (worker == nullptr && unused != nullptr) {
      pool.fresh_turn = false;
      Fill(pool.ready_fresh, *unused, 1);
      continue;
    }
    if (worker == nullptr) {
      if (pool.ready.empty() || made_way || !MakeWayForPriority(pool)) return;
      made_way = true;
      continue;
    }
    const std::uint64_t takers = std::max<std::uint64_t>(1, std::min<std::uint64_t>(pool.idle.size(), pool.slots()));
    pool.fresh_turn = true;
    Fill(pool.ready, *worker, std::max<std::uint64_t>(1, pool.ready.size() / takers));
  }
}

Worker* Core::State::ChooseWorker(Pool& pool, const Handle& next) {
  if (!pool.idle.empty() && pool.has_slot()) return AsWorker(pool.idle.back());
  if (pool.functions[next.group->function].average == 0) return nullptr;
  // What Takes asks of a worker is asked by the index, but for how much it has: who has more takes no more either.
  Worker* const least = pool.index.LeastLoaded(now, pool.draining);
  return least != nullptr && Takes(*least, next) ? least : nullptr;
}

bool Core::State::Takes(const Worker& worker, const Handle& next) const {
  if (!worker.takes_work()) return false;
  if (worker.pool->RunsAlone(next)) return worker.sent.empty() && worker.dispatches == 0;
  if (worker.sent.empty()) return true;
  if (worker.pool->FreshIsNext() && worker.pool->UnusedIdle() != nullptr) return false;  // it wants a slot
  if (worker.pool->draining && worker.pool->Leaving(worker)) return false;
  if (!worker.uses_page || worker.unmeasured > 0 || worker.sent.size() >= limits.max_prefetch) return false;
  if (now - worker.progress_at >= kPatience) return false;
  const PoolFunction& function = worker.pool->functions[next.group->function];
  const double average = function.average;
  if (average == 0 || !HasRoomAhead(next, function)) return false;
  if (!next.is_map()) return worker.load + average <= kAheadTime;
  const MapRun& map = static_cast<const MapRun&>(next);
  return worker.load < kAheadTime / 2 ||
         worker.load + average * static_cast<double>(ChunkSize(*worker.pool, map)) <= kAheadTime;
}

std::uint64_t Core::State::RoomAhead(const Handle& next) const {
  const Pool& pool = *next.group->pool;
  const auto bytes = static_cast<double>(room.RoomOf(QuotaOf(next)));
  const double calls =
      bytes / OutcomeBytes(next, pool.functions[next.group->function]) - static_cast<double>(pool.stats.running);
  return calls < 1 ? 0 : static_cast<std::uint64_t>(std::min(calls, 1e15));
}

bool Core::State::HasRoomAhead(const Handle& next, const PoolFunction& function) const {
  const auto calls = static_cast<double>(next.group->pool->stats.running + 1);
  return static_cast<double>(room.RoomOf(QuotaOf(next))) >= OutcomeBytes(next, function) * calls;
}

void Core::State::Fill(ReadyQueue& ready, Worker& worker, std::uint64_t most) {
  Pool& pool = *worker.pool;
  std::vector<Assignment> work;
  work.reserve(std::min<std::uint64_t>({most, ready.size(), limits.max_prefetch}));
  bool alone = false;
  while (work.size() < most && !alone) {
    Handle* const first = NextToSend(ready);
    if (first == nullptr) break;
    Handle& next = *first;
    if (!Takes(worker, next)) break;
    if (!Knows(worker, next)) {
      if (!work.empty()) break;  // it goes first: what ends here takes room
      EndUnknown(pool, next);
      continue;
    }
    alone = pool.RunsAlone(next);
    ClientQueue* queue = next.group->queue;
    work.push_back(next.is_map() ? SendChunk(*AsMap(&next), worker) : SendTask(*AsTask(&next), worker));
    if (!faults.never_end_turn) ready.EndTurn(queue);
    // It was kept for what wants a fresh one: that needs another one now.
    if (worker.dispatches++ == 0) {
      pool.Recount(worker);
      if (!pool.ready_fresh.empty()) pool.scaling_due = true;
    }
    if (pool.spec.max_tasks_per_worker != 0 && worker.dispatches >= pool.spec.max_tasks_per_worker) break;
  }
  if (!work.empty()) {
    pool.index.Touch(worker);
    worker_port->Dispatch(worker.id, std::move(work));
  }
  if (alone) return Stop(worker);
  if (pool.spec.max_tasks_per_worker != 0 && worker.dispatches >= pool.spec.max_tasks_per_worker) {
    pool.stats.recycled += !worker.stopping();
    Stop(worker);  // it exits after what it has; the next one gets ready meanwhile
  }
}

bool Core::State::Knows(const Worker& worker, const Handle& next) {
  const std::uint32_t function = next.group->function;
  return function < worker.functions->size() && (*worker.functions)[function] >= 0;
}

void Core::State::EndUnknown(Pool& pool, Handle& next) {
  const std::string name = pool.functions[next.group->function].name;
  const std::string message = "no worker of the pool has the function '" + name + "'";
  const OutcomePtr outcome =
      NeverStartedOutcome(TaskState::kFailed, "poold.UnknownFunction", message, next.group->submitted_at);
  if (next.is_map()) {
    EndReadyItems(*AsMap(&next), outcome);
    CheckMapDone(*AsMap(&next));
  } else {
    Unqueue(*AsTask(&next));
    EndTask(*AsTask(&next), outcome);
  }
}

Assignment Core::State::SendTask(Task& task, Worker& worker) {
  Pool& pool = *worker.pool;
  Unqueue(task);
  task.state = TaskState::kRunning;
  task.begun = false;
  task.token = MakeToken(task.slot, false, ++last_attempt);
  task.worker = &worker;
  task.ran_on = worker.mark;
  task.sent_at = now;
  if (++task.attempt > 1 && task.extras != nullptr) task.extras->progress.reset();
  const std::uint32_t function = task.group->function;
  task.estimate = static_cast<std::uint32_t>(std::min(pool.functions[function].average, 4e9));
  ++pool.stats.running;
  PriorityLevel& level = *task.group->queue->level;
  ++level.in_flight;
  pool.way_made = std::min(pool.way_made, level.priority);
  worker.load += task.estimate;
  worker.unmeasured += task.estimate == 0;
  if (pool.breakers_open > 0) NoteProbe(task, task.token);
  Sent(pool, worker, &task);
  if (task.group->timed || task.timer != kNoTimer) ArmTask(task);
  TellWatchers(task);
  return {AttemptToken{task.token},
          static_cast<std::uint32_t>((*worker.functions)[function]),
          task.attempt,
          ArgumentsOf(task),
          {}};
}

Assignment Core::State::SendChunk(MapRun& map, Worker& worker) {
  Pool& pool = *worker.pool;
  const std::uint32_t attempts = map.NextAttempts();
  const ItemRange range = map.TakeItems(MostItems(map, worker));
  if (map.ready_items() == 0) UnqueueMap(map);
  Chunk& chunk = *chunks.New();
  chunk.map = &map;
  chunk.worker = &worker;
  chunk.token = MakeToken(chunk.slot, true, ++last_attempt);
  chunk.begin = range.begin;
  chunk.count = static_cast<std::uint32_t>(range.size());
  chunk.attempt = attempts + 1;
  chunk.sent_at = chunk.item_since = now;
  const std::uint32_t function = map.group->function;
  chunk.estimate = static_cast<std::uint32_t>(std::min(pool.functions[function].average, 4e9));
  map.AddChunk(&chunk);
  Assignment assignment{AttemptToken{chunk.token},
                        static_cast<std::uint32_t>((*worker.functions)[function]),
                        chunk.attempt,
                        {map.encoding, map.type_name, {}},
                        map.Slices(range.begin, range.size())};
  for (const ItemSlice& slice : assignment.items) pool.stats.queued_bytes -= slice.data.size();
  pool.stats.queued -= range.size();
  pool.stats.running += range.size();
  ++pool.chunks_sent;
  PriorityLevel& level = *map.group->queue->level;
  ++level.in_flight;
  pool.way_made = std::min(pool.way_made, level.priority);
  worker.load += Nanos{chunk.estimate} * chunk.count;
  worker.unmeasured += chunk.estimate == 0;
  if (pool.breakers_open > 0) NoteProbe(map, chunk.token);
  Sent(pool, worker, &chunk);
  return assignment;
}

// How many items the next chunk of the map has on this worker.
//
// Without a claim page nobody can tell which item of a chunk killed its worker. There a chunk has more than one item
// only while each of them may be started once more after it: then it can be split until the guilty item is alone.
std::uint64_t Core::State::MostItems(const MapRun& map, const Worker& worker) const {
  const Pool& pool = *worker.pool;
  const TaskOptions& options = *map.group->options;
  if (map.NextRetry() != nullptr || (pool.breakers_open > 0 && BreakerOf(map) != nullptr)) return 1;
  if (!worker.uses_page) {
    const bool again = (options.retry_on >> static_cast<unsigned>(TaskState::kCrashed) & 1) != 0;
    if (!again || map.NextAttempts() + 1 >= options.max_attempts) return 1;
    const bool measured = pool.functions[map.group->function].average != 0;
    if (map.splits.empty() && map.chunk_size == 0 && !measured) return 1;  // what is sent here never comes back
  }
  return map.splits.empty() ? ChunkSize(pool, map) : map.splits.back().range.size();
}

std::uint64_t Core::State::ChunkSize(const Pool& pool, const MapRun& map) const {
  if (map.chunk_size != 0) return std::min<std::uint64_t>(map.chunk_size, kMostAsked);
  if (pool.RunsAlone(map)) return 1;
  const std::uint64_t takers = std::clamp<std::uint64_t>(pool.workers.size(), 1, pool.spec.workers);
  const double average = pool.functions[map.group->function].average;
  if (average == 0) return UnmeasuredChunk(map.ready_items(), takers);
  return MeasuredChunk(map.ready_items(), takers, average, RoomAhead(map));
}

void Core::State::Sent(Pool& pool, Worker& worker, Node* node) {
  if (worker.sent.empty()) {
    pool.UnlistIdle(&worker);
    ++pool.busy;
  }
  worker.sent.PushBack(node);
  ++pool.sent;
  if (worker.sent.front() == node) NewHead(worker);
  pool.steal_at = std::min(pool.steal_at, WorkToTakeAt(worker));
}

void Core::State::NewHead(Worker& worker) {
  worker.progress_at = now;
  Node* head = worker.sent.front();
  const bool is_task = head->kind == NodeKind::kTask;
  const TaskState intent = is_task ? AsTask(head)->intent : AsChunk(head)->intent;
  if (!is_task) AsChunk(head)->item_since = now;
  if (intent != TaskState::kUnspecified && worker.ready() && worker.killed_by == KilledBy::kUnspecified) {
    KillUnder(worker, head, KilledBy::kCancel);  // it could not be done while those before it were not known to be over
  } else if (is_task && AsTask(head)->group->timed) {
    ArmTask(*AsTask(head));
  } else if (!is_task && AsChunk(head)->map->group->timed) {
    ArmChunk(*AsChunk(head));
  }
}

void Core::State::LeaveWorker(Worker& worker, Node* node, Handle& handle, Nanos load, bool measured) {
  Pool& pool = *worker.pool;
  const bool was_head = worker.sent.front() == node;
  worker.sent.Remove(node);
  --pool.sent;
  --handle.group->queue->level->in_flight;
  worker.load -= load;
  worker.unmeasured -= !measured;
  if (!faults.forget_touch || worker.sent.empty()) pool.index.Touch(worker);
  if (worker.sent.empty()) {
    --pool.busy;
    if (worker.idle()) pool.ListIdle(&worker);
    if (pool.draining || pool.fresh() || !pool.ready_fresh.empty()) pool.scaling_due = true;
  } else if (was_head) {
    NewHead(worker);
  }
}

void Core::State::Unsend(Task& task) {
  Pool& pool = *task.group->pool;
  --pool.stats.running;
  if (pool.breakers_open > 0) ProbeLeft(task, task.token);
  LeaveWorker(*task.worker, &task, task, task.estimate, task.estimate != 0);
  task.worker = nullptr;
  task.token = 0;
  timers.Clear(&task.timer);
}

void Core::State::Unsend(Chunk& chunk) {
  MapRun& map = *chunk.map;
  Pool& pool = *map.group->pool;
  pool.stats.running -= chunk.count - chunk.done;
  --pool.chunks_sent;
  if (pool.breakers_open > 0) ProbeLeft(map, chunk.token);
  LeaveWorker(*chunk.worker, &chunk, map, Nanos{chunk.estimate} * (chunk.count - chunk.done), chunk.estimate != 0);
  timers.Clear(&chunk.timer);
  map.RemoveChunk(&chunk);
  chunks.Delete(&chunk);
}

}  // namespace poold::core
