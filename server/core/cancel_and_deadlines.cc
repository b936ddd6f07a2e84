// Ending what has not ended: cancels and time limits.
//
// What was decided stays: a result that comes after a task was found over its time, or after a client was
// told that it will be CANCELLED, is dropped and counted.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

bool Core::State::TakeOutOfQueue(Task& task) {
  if (task.state == TaskState::kRunning && !scheduler.TakeBackTask(task)) return false;
  scheduler.Unqueue(task);
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
  scheduler.KillUnder(*task.worker, &task, KilledBy::kCancel);
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
    scheduler.KillUnder(*chunk->worker, chunk, KilledBy::kCancel);
  }
  const bool done = map.chunks.empty();
  CheckMapDone(map);
  Reconcile(*pool);
  return running || done;
}

void Core::State::TaskDue(Task& task) {
  if (Reach(task)) return;
  if (task.intent != TaskState::kUnspecified) return;  // what was decided stays
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
    scheduler.Unqueue(task);
    Queue(task, /*in_front=*/task.attempt > 0);
  } else {
    task.begun = sent;  // too late for queue_timeout
    scheduler.deadlines().ArmTask(task);
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
  if (!scheduler.KillUnder(*task.worker, &task, KilledBy::kTimeLimit))
    return;  // it has ended: its result is on its way
  task.intent = TaskState::kTimedOut;
  task.out_of_time = total;
}

// Its present item is over its time.
void Core::State::ChunkDue(Chunk& chunk) {
  MapRun& map = *chunk.map;
  if (map.group->pool->sweep == Sweep::kAll) return;
  const std::shared_ptr<Pool> pool = map.group->pool;
  const bool total = now >= After(map.ArrivedAt(chunk.begin + chunk.done), map.group->options->total_timeout);
  const std::uint32_t left = chunk.count - chunk.done;
  Worker& worker = *chunk.worker;
  const bool decided = chunk.intent != TaskState::kUnspecified;  // which stays
  if (!decided && TakeBackItems(chunk, 0) < left && scheduler.KillUnder(worker, &chunk, KilledBy::kTimeLimit)) {
    chunk.intent = TaskState::kTimedOut;
    chunk.out_of_time = total;
  }
  ExpireReadyItems(map);
  ArmMap(map);
  CheckMapDone(map);
  Reconcile(*pool);
}

void Core::State::ExpireReadyItems(MapRun& map) {
  Pool& pool = *map.group->pool;
  // What is left is due still, and the timer says so.
  for (std::size_t left = limits.slice; left > 0 && map.ready_items() > 0 && now >= Deadlines::LatestStart(map);) {
    const bool tried = map.NextAttempts() > 0;
    const Nanos arrived_at = map.ArrivedAt(map.OldestReady());
    const ItemRange range =
        map.TakeItems(std::min<std::uint64_t>(left, map.ColumnEnd(map.OldestReady()) - map.OldestReady()));
    Spend(&left, range.size());
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
  if (Reach(map)) return;
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
