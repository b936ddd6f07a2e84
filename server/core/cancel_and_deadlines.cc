// Ending what has not ended: cancels and time limits.
//
// A run starts when the one before it on the same worker has ended (as we learn it), or when it was sent, if the worker
// had nothing. What was decided stays: a result that comes after a task was found over its time, or after a client was
// told that it will be CANCELLED, is dropped and counted.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

bool Core::State::TakeOutOfQueue(Task& task) {
  if (task.state == TaskState::kRunning && !TakeBackTask(task)) return false;
  Unqueue(task);
  return true;
}

bool Core::State::CancelTask(Task& task, bool running) {
  if (task.ended) return task.state == TaskState::kCancelled;
  if (task.intent != TaskState::kUnspecified) return task.intent == TaskState::kCancelled;
  const std::shared_ptr<Pool> pool = task.group->pool;
  if (TakeOutOfQueue(task)) {
    EndTask(task, CancelledOutcome(task, "cancelled by a client"));
    Reconcile(*pool);
    return true;
  }
  if (!running) return false;
  KillUnder(*task.worker, &task, KilledBy::kCancel);
  task.intent = TaskState::kCancelled;
  Reconcile(*pool);
  return true;
}

bool Core::State::CancelMap(MapRun& map, bool running) {
  if (map.ended) return map.cancelled_items > 0 || map.cut;
  const std::shared_ptr<Pool> pool = map.group->pool;
  CutMap(map);
  const std::vector<Chunk*> chunks = map.chunks;
  for (Chunk* chunk : chunks) {
    if (!running || chunk->intent != TaskState::kUnspecified) continue;
    chunk->intent = TaskState::kCancelled;
    KillUnder(*chunk->worker, chunk, KilledBy::kCancel);
  }
  const bool done = map.chunks.empty();
  CheckMapDone(map);
  Reconcile(*pool);
  return running || done;
}

bool Core::State::KillUnder(Worker& worker, const Node* running, KilledBy why) {
  if (!TakeBackBehind(worker, running)) return false;
  if (worker.sent.front() != running) return false;
  Kill(worker, why, worker.pool->spec.stop_grace);
  return true;
}

void Core::State::ArmTask(Task& task) {
  const TaskOptions& options = *task.group->options;
  Nanos when = After(task.group->submitted_at, options.total_timeout);
  const bool sent = task.worker != nullptr;
  const bool first = task.attempt == (sent ? 1 : 0);
  const bool head = sent && task.worker->sent.front() == &task;
  if (task.delayed) when = std::min(when, task.not_before);
  if (first && !head && !task.begun) when = std::min(when, After(task.group->submitted_at, options.queue_timeout));
  if (head) when = std::min(when, After(task.worker->progress_at, options.run_timeout));
  if (task.intent != TaskState::kUnspecified) when = kNever;
  timers.Set(&task.timer, when, TimerKind::kTask, &task);
}

void Core::State::TaskDue(Task& task) {
  const TaskOptions& options = *task.group->options;
  const std::shared_ptr<Pool> pool = task.group->pool;
  const bool total = now >= After(task.group->submitted_at, options.total_timeout);
  const bool sent = task.worker != nullptr;
  if (total) {
    TimeOut(task, /*total=*/true);
  } else if (task.attempt == (sent ? 1 : 0) && now >= After(task.group->submitted_at, options.queue_timeout) &&
             TakeOutOfQueue(task)) {
    EndTask(task, OutcomeOf(task, TaskState::kExpired, "poold.Expired", "queue_timeout passed before it started"));
  } else if (task.worker != nullptr && task.worker->sent.front() == &task &&
             now >= After(task.worker->progress_at, options.run_timeout)) {
    TimeOut(task, /*total=*/false);
  } else if (task.delayed && now >= task.not_before) {
    Unqueue(task);
    Queue(task, /*in_front=*/task.attempt > 0);
  } else {
    task.begun = sent;  // too late for queue_timeout
    ArmTask(task);
  }
  Reconcile(*pool);
}

void Core::State::TimeOut(Task& task, bool total) {
  if (TakeOutOfQueue(task)) {
    if (!total) {  // it had not begun after all
      Queue(task, /*in_front=*/true);
    } else if (task.attempt == 0) {
      EndTask(task, OutcomeOf(task, TaskState::kExpired, "poold.Expired", "total_timeout passed before it started"));
    } else {
      EndTask(task, OutcomeOf(task, TaskState::kTimedOut, "poold.TimedOut", "total_timeout passed between attempts"));
    }
    return;
  }
  if (!KillUnder(*task.worker, &task, KilledBy::kTimeLimit)) return;  // it has ended: its result is on its way
  task.intent = TaskState::kTimedOut;
  task.out_of_time = total;
}

void Core::State::ArmChunk(Chunk& chunk) {
  const TaskOptions& options = *chunk.map->group->options;
  Nanos when = kNever;
  if (chunk.worker->sent.front() == &chunk && chunk.intent == TaskState::kUnspecified) {
    when = std::min(After(chunk.item_since, options.run_timeout),
                    After(chunk.map->ArrivedAt(chunk.begin + chunk.done), options.total_timeout));
  }
  timers.Set(&chunk.timer, when, TimerKind::kChunk, &chunk);
}

// Its present item is over its time.
void Core::State::ChunkDue(Chunk& chunk) {
  MapRun& map = *chunk.map;
  const std::shared_ptr<Pool> pool = map.group->pool;
  const bool total = now >= After(map.ArrivedAt(chunk.begin + chunk.done), map.group->options->total_timeout);
  const std::uint32_t left = chunk.count - chunk.done;
  Worker& worker = *chunk.worker;
  if (TakeBackItems(chunk, 0) < left && KillUnder(worker, &chunk, KilledBy::kTimeLimit)) {
    chunk.intent = TaskState::kTimedOut;
    chunk.out_of_time = total;
  }
  ExpireReadyItems(map);
  ArmMap(map);
  CheckMapDone(map);
  Reconcile(*pool);
}

// The moment at which the item that comes next is too late.
Nanos Core::State::LatestStart(const MapRun& map) const {
  const TaskOptions& options = *map.group->options;
  const Nanos span =
      map.NextAttempts() > 0 ? options.total_timeout : std::min(options.queue_timeout, options.total_timeout);
  return After(map.ArrivedAt(map.OldestReady()), span);
}

void Core::State::ArmMap(MapRun& map) {
  Nanos when = map.not_before > now ? map.not_before : kNever;
  if (map.ready_items() > 0) when = std::min(when, LatestStart(map));
  timers.Set(&map.timer, when, TimerKind::kMap, &map);
}

void Core::State::ExpireReadyItems(MapRun& map) {
  Pool& pool = *map.group->pool;
  while (map.ready_items() > 0 && now >= LatestStart(map)) {
    const bool tried = map.NextAttempts() > 0;
    const Nanos arrived_at = map.ArrivedAt(map.OldestReady());
    const ItemRange range = map.TakeItems(map.ColumnEnd(map.OldestReady()) - map.OldestReady());
    pool.stats.queued -= range.size();
    pool.stats.queued_bytes -= map.BytesOf(range.begin, range.size());
    if (tried) DropRetry(map, range.begin);
    EndItems(map, range,
             tried ? NeverStartedOutcome(TaskState::kTimedOut, "poold.TimedOut",
                                         "total_timeout passed between attempts", arrived_at)
                   : NeverStartedOutcome(TaskState::kExpired, "poold.Expired", "its time passed before it started",
                                         arrived_at));
  }
  if (map.ready_items() == 0) UnqueueMap(map);
}

void Core::State::MapDue(MapRun& map) {
  // What was too late is with a worker again, and ChunkDue tells. Settling would steal it, and be called again for it.
  if (map.ready_items() == 0) return;
  const std::shared_ptr<Pool> pool = map.group->pool;
  ExpireReadyItems(map);
  QueueMap(map, /*in_front=*/false);
  ArmMap(map);
  CheckMapDone(map);
  Reconcile(*pool);
}

}  // namespace poold::core
