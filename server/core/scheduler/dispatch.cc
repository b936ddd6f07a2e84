// What goes to which worker, and when.
#include <algorithm>

#include "core/scheduler/chunk_size.h"
#include "core/scheduler/scheduler.h"

namespace poold::core {
namespace {

bool Knows(const Worker& worker, const Handle& next) {
  const std::uint32_t function = next.group->function;
  return function < worker.functions->size() && (*worker.functions)[function] >= 0;
}

// What a claim word counts.
constexpr std::uint64_t kMostAsked = (1u << 24) - 1;

// What is counted for the outcome of one call.
double OutcomeBytes(const Handle& called, const PoolFunction& function) {
  return function.result_bytes + (called.is_map() ? 4.0 : static_cast<double>(kOutcomeOverhead));
}

}  // namespace

void Scheduler::Queue(Task& task, bool in_front) {
  Pool& pool = *task.group->pool;
  ++pool.stats.queued;
  pool.stats.queued_bytes += task.body.size();
  const bool delayed = task.not_before > now_;
  lives_.Move(task.life, delayed ? TaskLife::kDelayed : TaskLife::kQueued);
  if (delayed) {
    pool.delayed.PushBack(&task);
  } else if (in_front) {
    task.group->ready->PushFront(task.group->queue, &task);
  } else {
    task.group->ready->PushBack(task.group->queue, &task);
  }
  NoteFresh(*task.group);
  if (delayed || task.group->timed) deadlines_.ArmTask(task);
}

void Scheduler::Unqueue(Task& task) {
  Pool& pool = *task.group->pool;
  --pool.stats.queued;
  pool.stats.queued_bytes -= task.body.size();
  if (task.life == TaskLife::kDelayed) {
    pool.delayed.Remove(&task);
  } else {
    CircuitBreakers::LeaveLine(task);
    NoteFresh(*task.group);
  }
}

void Scheduler::QueueMap(MapRun& map, bool in_front) {
  if (map.linked() || map.ended() || map.items.ready() == 0 || map.not_before > now_) return;
  ReadyQueue& ready = *map.group->ready;
  NoteFresh(*map.group);
  in_front ? ready.PushFront(map.group->queue, &map) : ready.PushBack(map.group->queue, &map);
  if (map.group->timed && map.timer == kNoTimer) deadlines_.ArmMap(map, now_);
}

void Scheduler::UnqueueMap(MapRun& map) {
  if (!map.linked()) return;
  CircuitBreakers::LeaveLine(map);
  NoteFresh(*map.group);
}

void Scheduler::ItemsWait(MapRun& map, ItemRange items) {
  PoolStats& stats = map.group->pool->stats;
  stats.queued += items.size();
  stats.queued_bytes += map.items.BytesOf(items.begin, items.size());
}

void Scheduler::ItemsWaitNoMore(MapRun& map, ItemRange items) {
  PoolStats& stats = map.group->pool->stats;
  stats.queued -= items.size();
  stats.queued_bytes -= map.items.BytesOf(items.begin, items.size());
}

void Scheduler::LetGo(const HeldLine& line) {
  line.ready->LetGo(line.queue);
  if (line.ready == &line.pool->ready_fresh) line.pool->scaling.Ask();
}

bool Scheduler::HasOwnRoom(const Handle& handle) const {
  if (Drains(*handle.group->pool)) return true;
  const ClientQuota& client = *handle.group->queue->quota;
  return room_.HasRoom(client) && !(faults_.no_floors && client.present);
}

// Where its client waits, if it does not wait there already.
void Scheduler::HoldUp(const Handle& handle) {
  Pool& pool = *handle.group->pool;
  ClientQueue* queue = handle.group->queue;
  if (queue->held_up) return;
  handle.group->ready->HoldUp(queue);
  NoteFresh(*handle.group);
  listener_->LineIsHeldUp(*queue->quota, {&pool, handle.group->ready, queue});
  breakers_.LineIsHeldUp(pool, queue);
}

void Scheduler::CallForProbes(Pool& pool) {
  breakers_.CallForProbes(pool, now_, [this](const Handle& handle) {
    const bool has_room = HasRoom(handle);
    if (!has_room) HoldUp(handle);
    return has_room;
  });
}

// The next one that may be sent. What may not goes to its breaker, and clients that have no room are held up. Null:
// there is none, or no step is left.
Handle* Scheduler::NextToSend(ReadyQueue& ready) {
  while (Node* node = !steps_.any() ? nullptr : ready.Next()) {
    Handle& next = *static_cast<Handle*>(node);
    if (!HasRoom(next)) {
      steps_.Spend(1);
      HoldUp(next);
      if (breakers_.probes_uncalled()) CallForProbes(*next.group->pool);
      continue;
    }
    const CircuitBreaker* breaker = next.group->pool->breakers_open == 0 ? nullptr : CircuitBreakers::Of(next);
    if (breaker == nullptr || (breaker->probe == 0 && now_ >= breaker->until)) return &next;
    CircuitBreakers::Hold(next);
    steps_.Spend(1);
  }
  return nullptr;
}

bool Scheduler::Refill(Pool& pool, Worker& worker) {
  if (pool.breakers_open > 0) {
    CallForProbes(pool);
    if (pool.scaling.asked()) return false;  // one was called that wants a fresh worker
  }
  if (pool.ready.empty()) return true;
  if (!Refills(worker, max_prefetch_)) return false;
  const Handle* next = NextToSend(pool.ready);
  if (next == nullptr) return true;
  if (Takes(worker, *next)) Fill(pool.ready, worker, max_prefetch_);
  if (!pool.scaling.asked())
    WatchWaiting(pool);  // else that was its last: the one that replaces it gets ready meanwhile
  return false;
}

void Scheduler::Dispatch(Pool& pool) {
  if (!pool.functions_known || !pool.dispatches()) return;
  bool made_way = false;
  while (steps_.any()) {
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

Worker* Scheduler::ChooseWorker(Pool& pool, const Handle& next) {
  if (!pool.idle.empty() && pool.has_slot()) return AsWorker(pool.idle.back());
  if (pool.functions[next.group->function].average == 0) return nullptr;
  // What Takes asks of a worker is asked by the index, but for how much it has: who has more takes no more either.
  Worker* const least = pool.index.LeastLoaded(now_, pool.draining);
  return least != nullptr && Takes(*least, next) ? least : nullptr;
}

bool Scheduler::Takes(const Worker& worker, const Handle& next) const {
  if (!worker.takes_work()) return false;
  if (worker.pool->RunsAlone(next)) return worker.sent.empty() && worker.dispatches == 0;
  if (worker.sent.empty()) return true;
  if (worker.pool->FreshIsNext() && worker.pool->UnusedIdle() != nullptr) return false;  // it wants a slot
  if (worker.pool->draining && worker.pool->Leaving(worker)) return false;
  if (!worker.uses_page || worker.unmeasured > 0 || worker.sent.size() >= max_prefetch_) return false;
  if (now_ - worker.progress_at >= kPatience) return false;
  const PoolFunction& function = worker.pool->functions[next.group->function];
  const double average = function.average;
  if (average == 0 || !HasRoomAhead(next, function)) return false;
  if (!next.is_map()) return worker.load + average <= kAheadTime;
  const MapRun& map = static_cast<const MapRun&>(next);
  return worker.load < kAheadTime / 2 ||
         worker.load + average * static_cast<double>(ChunkSize(*worker.pool, map)) <= kAheadTime;
}

std::uint64_t Scheduler::RoomAhead(const Handle& next) const {
  const Pool& pool = *next.group->pool;
  const auto bytes = static_cast<double>(room_.RoomOf(*next.group->queue->quota));
  const double calls =
      bytes / OutcomeBytes(next, pool.functions[next.group->function]) - static_cast<double>(pool.stats.running);
  return calls < 1 ? 0 : static_cast<std::uint64_t>(std::min(calls, 1e15));
}

bool Scheduler::HasRoomAhead(const Handle& next, const PoolFunction& function) const {
  const auto calls = static_cast<double>(next.group->pool->stats.running + 1);
  return static_cast<double>(room_.RoomOf(*next.group->queue->quota)) >= OutcomeBytes(next, function) * calls;
}

void Scheduler::Fill(ReadyQueue& ready, Worker& worker, std::uint64_t most) {
  Pool& pool = *worker.pool;
  std::vector<Assignment> work;
  work.reserve(std::min<std::uint64_t>({most, ready.size(), max_prefetch_}));
  bool alone = false;
  most = std::min<std::uint64_t>(most, steps_.left());
  while (work.size() < most && !alone) {
    Handle* const first = NextToSend(ready);
    if (first == nullptr) break;
    Handle& next = *first;
    if (!Takes(worker, next)) break;
    if (!Knows(worker, next)) {
      if (!work.empty()) break;  // it goes first: what ends here takes room
      steps_.Spend(1);
      listener_->FunctionIsUnknown(next);
      continue;
    }
    alone = pool.RunsAlone(next);
    ClientQueue* queue = next.group->queue;
    work.push_back(next.is_map() ? SendChunk(*AsMap(&next), worker) : SendTask(*AsTask(&next), worker));
    if (!faults_.never_end_turn) ready.EndTurn(queue);
    // It was kept for what wants a fresh one: that needs another one now.
    if (worker.dispatches++ == 0) {
      pool.Recount(worker);
      if (!pool.ready_fresh.empty()) pool.scaling.Ask();
    }
    if (pool.spec.max_tasks_per_worker != 0 && worker.dispatches >= pool.spec.max_tasks_per_worker) break;
  }
  if (!work.empty()) {
    steps_.Spend(work.size());
    if (worker.lowest < pool.way_priority) pool.way_worker = WorkerId{};  // it is looked at again
    pool.index.Touch(worker);
    port_->Dispatch(worker.id, std::move(work));
  }
  if (alone) return listener_->WorkerIsUsedUp(worker, /*recycled=*/false);
  if (pool.spec.max_tasks_per_worker != 0 && worker.dispatches >= pool.spec.max_tasks_per_worker) {
    listener_->WorkerIsUsedUp(worker, /*recycled=*/true);  // the next one gets ready meanwhile
  }
}

Assignment Scheduler::SendTask(Task& task, Worker& worker) {
  Pool& pool = *worker.pool;
  Unqueue(task);
  lives_.Move(task.life, TaskLife::kSent);
  task.begun = false;
  task.token = MakeToken(task.slot, false, ++last_attempt_);
  task.worker = &worker;
  task.ran_on = worker.mark;
  task.sent_at = now_;
  if (++task.attempt > 1 && task.extras != nullptr) task.extras->progress.reset();
  const std::uint32_t function = task.group->function;
  task.estimate = static_cast<std::uint32_t>(std::min(pool.functions[function].average, 4e9));
  ++pool.stats.running;
  PriorityLevel& level = *task.group->queue->level;
  ++level.in_flight;
  pool.way_made = std::min(pool.way_made, level.priority);
  worker.load += task.estimate;
  worker.unmeasured += task.estimate == 0;
  if (pool.breakers_open > 0) CircuitBreakers::NoteSent(task, task.token);
  Sent(pool, worker, &task, level.priority);
  if (task.group->timed || task.timer != kNoTimer) deadlines_.ArmTask(task);
  TellOf(task);
  return {AttemptToken{task.token},
          static_cast<std::uint32_t>((*worker.functions)[function]),
          task.attempt,
          ArgumentsOf(task),
          {},
          task.group->carried};
}

Assignment Scheduler::SendChunk(MapRun& map, Worker& worker) {
  Pool& pool = *worker.pool;
  const std::uint32_t attempts = map.items.NextAttempts();
  const ItemRange range = map.items.Take(MostItems(map, worker));
  if (map.items.ready() == 0) UnqueueMap(map);
  Chunk& chunk = *chunks_.New();
  chunk.map = &map;
  chunk.worker = &worker;
  chunk.token = MakeToken(chunk.slot, true, ++last_attempt_);
  chunk.begin = range.begin;
  chunk.count = static_cast<std::uint32_t>(range.size());
  chunk.attempt = attempts + 1;
  chunk.sent_at = chunk.item_since = now_;
  const std::uint32_t function = map.group->function;
  chunk.estimate = static_cast<std::uint32_t>(std::min(pool.functions[function].average, 4e9));
  map.AddChunk(&chunk);
  Assignment assignment{AttemptToken{chunk.token},
                        static_cast<std::uint32_t>((*worker.functions)[function]),
                        chunk.attempt,
                        {map.encoding, map.type_name, {}},
                        map.items.Slices(range.begin, range.size()),
                        map.group->carried};
  for (const ItemSlice& slice : assignment.items) pool.stats.queued_bytes -= slice.data.size();
  pool.stats.queued -= range.size();
  pool.stats.running += range.size();
  ++pool.chunks_sent;
  PriorityLevel& level = *map.group->queue->level;
  ++level.in_flight;
  pool.way_made = std::min(pool.way_made, level.priority);
  worker.load += Nanos{chunk.estimate} * chunk.count;
  worker.unmeasured += chunk.estimate == 0;
  if (pool.breakers_open > 0) CircuitBreakers::NoteSent(map, chunk.token);
  Sent(pool, worker, &chunk, level.priority);
  return assignment;
}

// How many items the next chunk of the map has on this worker.
//
// Without a claim page nobody can tell which item of a chunk killed its worker. There a chunk has more than one item
// only while each of them may be started once more after it: then it can be split until the guilty item is alone.
std::uint64_t Scheduler::MostItems(const MapRun& map, const Worker& worker) const {
  const Pool& pool = *worker.pool;
  const TaskOptions& options = *map.group->options;
  if (map.items.NextIsRetry() || (pool.breakers_open > 0 && CircuitBreakers::Of(map) != nullptr)) return 1;
  if (!worker.uses_page) {
    const bool again = (options.retry_on >> static_cast<unsigned>(TaskState::kCrashed) & 1) != 0;
    if (!again || map.items.NextAttempts() + 1 >= options.max_attempts) return 1;
    const bool measured = pool.functions[map.group->function].average != 0;
    if (map.items.NextSplit() == 0 && map.chunk_size == 0 && !measured) return 1;  // what is sent here never comes back
  }
  return map.items.NextSplit() == 0 ? ChunkSize(pool, map) : map.items.NextSplit();
}

std::uint64_t Scheduler::ChunkSize(const Pool& pool, const MapRun& map) const {
  if (map.chunk_size != 0) return std::min<std::uint64_t>(map.chunk_size, kMostAsked);
  if (pool.RunsAlone(map)) return 1;
  const std::uint64_t takers = std::clamp<std::uint64_t>(pool.workers.size(), 1, pool.spec.workers);
  const double average = pool.functions[map.group->function].average;
  if (average == 0) return UnmeasuredChunk(map.items.ready(), takers);
  return MeasuredChunk(map.items.ready(), takers, average, RoomAhead(map));
}

void Scheduler::Sent(Pool& pool, Worker& worker, Node* node, int priority) {
  if (worker.sent.empty()) {
    pool.UnlistIdle(&worker);
    ++pool.busy;
    worker.lowest = priority;
  } else {
    worker.lowest = std::min(worker.lowest, priority);
  }
  worker.sent.PushBack(node);
  ++pool.sent;
  if (worker.sent.front() == node) NewHead(worker);
  pool.steal_at = std::min(pool.steal_at, WorkToTakeAt(worker));
}

void Scheduler::NewHead(Worker& worker) {
  worker.progress_at = now_;
  Node* head = worker.sent.front();
  const bool is_task = head->kind == NodeKind::kTask;
  const TaskState decided = is_task ? DecidedEnd(AsTask(head)->life) : DecidedEnd(AsChunk(head)->life);
  if (!is_task) AsChunk(head)->item_since = now_;
  if (decided != TaskState::kUnspecified && worker.ready() && worker.killed_by == KilledBy::kUnspecified) {
    KillUnder(worker, head, KilledBy::kCancel);  // it could not be done while those before it were not known to be over
  } else if (is_task && AsTask(head)->group->timed) {
    deadlines_.ArmTask(*AsTask(head));
  } else if (!is_task && AsChunk(head)->map->group->timed) {
    deadlines_.ArmChunk(*AsChunk(head));
  }
}

void Scheduler::LeaveWorker(Worker& worker, Node* node, Handle& handle, Nanos load, bool measured) {
  Pool& pool = *worker.pool;
  const bool was_head = worker.sent.front() == node;
  worker.sent.Remove(node);
  --pool.sent;
  --handle.group->queue->level->in_flight;
  worker.load -= load;
  worker.unmeasured -= !measured;
  if (!faults_.forget_touch || worker.sent.empty()) pool.index.Touch(worker);
  if (worker.sent.empty()) {
    --pool.busy;
    if (worker.idle()) pool.ListIdle(&worker);
    if (pool.draining || pool.fresh() || !pool.ready_fresh.empty()) pool.scaling.Ask();
  } else if (was_head) {
    NewHead(worker);
  }
}

void Scheduler::Unsend(Task& task) {
  Pool& pool = *task.group->pool;
  --pool.stats.running;
  if (pool.breakers_open > 0) CircuitBreakers::NoteLeft(task, task.token);
  LeaveWorker(*task.worker, &task, task, task.estimate, task.estimate != 0);
  task.worker = nullptr;
  task.token = 0;
  deadlines_.Clear(task);
}

void Scheduler::Unsend(Chunk& chunk) {
  MapRun& map = *chunk.map;
  Pool& pool = *map.group->pool;
  pool.stats.running -= chunk.count - chunk.done;
  --pool.chunks_sent;
  if (pool.breakers_open > 0) CircuitBreakers::NoteLeft(map, chunk.token);
  LeaveWorker(*chunk.worker, &chunk, map, Nanos{chunk.estimate} * (chunk.count - chunk.done), chunk.estimate != 0);
  deadlines_.Clear(chunk);
  map.RemoveChunk(&chunk);
  chunks_.Delete(&chunk);
}

Chunk* Scheduler::FindChunk(WorkerId worker, AttemptToken token) const {
  if (!IsChunkToken(token)) return nullptr;
  Chunk* chunk = chunks_.Find(TokenSlot(token));
  if (chunk == nullptr || chunk->token != static_cast<std::uint64_t>(token)) return nullptr;
  if (chunk->worker->pool->sweep == Sweep::kAll) return nullptr;
  return chunk->worker->id == worker ? chunk : nullptr;
}

void Scheduler::CallsCameBack(Pool& pool, std::uint32_t function, Nanos elapsed, std::uint64_t calls,
                              std::uint64_t result_bytes) {
  pool.NoteRun(function, elapsed, calls, result_bytes);
  if (pool.functions[function].deaths > 0) breakers_.CallsCameBack(pool, function, now_);
}

void Scheduler::ItemsCameBack(Chunk& chunk, std::uint32_t count) {
  Worker& worker = *chunk.worker;
  Pool& pool = *worker.pool;
  worker.load -= Nanos{chunk.estimate} * count;
  chunk.item_since = worker.progress_at = now_;
  chunk.done += count;
  pool.stats.running -= count;
  pool.index.Touch(worker);
}

std::string Scheduler::Check(const Pool& pool) const {
  std::uint64_t sent = 0;
  std::uint64_t busy = 0;
  for (const Worker* worker : pool.workers) {
    sent += worker->sent.size();
    busy += !worker->sent.empty();
    if (worker->linked() != worker->idle()) return "a worker is listed as idle and is not, or the other way round";
  }
  if (sent != pool.sent || busy != pool.busy) return "what workers have is miscounted";
  return CircuitBreakers::Check(pool);
}

}  // namespace poold::core
