// The end of a worker: who dies with it, who runs elsewhere.
#include <algorithm>
#include <csignal>

#include "core/state.h"

namespace poold::core {

void Core::State::CertifyDeath(const Worker& worker, DeathCertificate& death) const {
  death.generation = worker.generation;
  if (death.pid == 0) death.pid = worker.pid;
  if (worker.killed_by != KilledBy::kUnspecified) {
    death.killed_by = worker.killed_by;
  } else {
    death.killed_by = death.signal == SIGKILL || death.signal == SIGTERM ? KilledBy::kOutsider : KilledBy::kItself;
  }
}

void Core::State::LoseWorker(Worker& worker, WorkerLoss loss) {
  const std::shared_ptr<Pool> pool = worker.pool;
  CertifyDeath(worker, loss.death);
  const bool was_ready = worker.ready;
  const bool expected = worker.stopping || worker.killed_by != KilledBy::kUnspecified;
  // From the back, so that what comes back to the front of the queue has its order again.
  worker.ready = false;
  while (Node* last = worker.sent.back()) {
    if (last->kind == NodeKind::kTask) {
      LoseTask(*AsTask(last), loss.has_guilty && AsTask(last)->token == static_cast<std::uint64_t>(loss.guilty), loss);
    } else {
      LoseChunk(*AsChunk(last), loss.has_guilty && AsChunk(last)->token == static_cast<std::uint64_t>(loss.guilty),
                loss);
    }
  }
  pool->UnlistIdle(&worker);
  std::erase(pool->workers, &worker);
  ++pool->stats.workers_lost;
  const std::uint32_t round = worker.start_round;
  Generation& generation = pool->OriginOf(worker);
  workers.erase(worker.id);
  pool->staff_due = true;
  TellPoolWatchers(*pool);
  if (!was_ready && !expected && pool->live()) {
    NoteStartFailure(generation, round,
                     loss.start_failure.empty() ? "a worker ended before it was ready" : loss.start_failure);
  }
  Settle(*pool);
}

void Core::State::LoseTask(Task& task, bool guilty, WorkerLoss& loss) {
  const TaskState intent = task.intent;
  const bool head = task.worker->sent.front() == &task;
  const Nanos started_at = head ? std::max(task.sent_at, task.worker->progress_at) : task.sent_at;
  Unsend(task);
  task.intent = TaskState::kUnspecified;
  if (!guilty && intent == TaskState::kUnspecified) {
    task.ran_on = {};
    --task.attempt;
    if (faults.forget_unbegun) task.not_before = kNever;
    return Queue(task, /*in_front=*/true);
  }
  const TaskState state = intent != TaskState::kUnspecified ? intent : TaskState::kCrashed;
  if (state == TaskState::kCrashed) ++task.deaths;
  if (state != TaskState::kCancelled && MayRetry(task, state)) {
    NoteAttempt(task, state, started_at, ReasonOf(nullptr, &loss.death));
    return RetryTask(task);
  }
  auto outcome = NewOutcome(task, state);
  outcome->started_at = started_at;
  if (outcome->detail == nullptr) outcome->detail = std::make_unique<OutcomeDetail>();
  OutcomeDetail& detail = *outcome->detail;
  detail.death = loss.death;
  if (detail.stdout_tail.empty()) detail.stdout_tail = loss.stdout_tail;
  if (detail.stderr_tail.empty()) detail.stderr_tail = loss.stderr_tail;
  detail.poison = task.deaths >= kMostDeaths;
  if (state == TaskState::kCancelled) detail.failure = Failure{"poold.Cancelled", "cancelled by a client"};
  EndTask(task, std::move(outcome));
}

void Core::State::LoseChunk(Chunk& chunk, bool guilty, WorkerLoss& loss) {
  MapRun& map = *chunk.map;
  Pool& pool = *map.group->pool;
  const TaskState intent = chunk.intent;
  const std::uint32_t attempt = chunk.attempt;
  const std::uint64_t begin = chunk.begin + chunk.done;
  const std::uint64_t end = chunk.begin + chunk.count;
  // Items before the guilty one were delivered; if some were not, they are lost with it rather than run twice.
  const std::uint64_t lost_end = guilty ? std::min(end, std::max(begin, chunk.begin + loss.guilty_item) + 1) : begin;
  const bool out_of_time = chunk.out_of_time;
  const Nanos started_at = chunk.item_since;
  Unsend(chunk);
  if (end > lost_end) {
    pool.stats.queued += end - lost_end;
    pool.stats.queued_bytes += map.BytesOf(lost_end, end - lost_end);
    map.GiveBack({lost_end, end});
    if (map.cut) {
      DropReadyItems(map);
    } else {
      QueueMap(map, /*in_front=*/true);
    }
  }
  for (std::uint64_t index = begin; index < lost_end; ++index) {
    const TaskState state = intent != TaskState::kUnspecified ? intent : TaskState::kCrashed;
    if (state == TaskState::kCancelled) {
      ++map.cancelled_items;
      ++pool.stats.cancelled;
      continue;
    }
    const bool death = state == TaskState::kCrashed;
    if (!out_of_time && RetryItem(map, index, attempt, state, death)) continue;
    auto outcome = std::make_shared<Outcome>();
    outcome->state = state;
    outcome->attempt = attempt;
    outcome->submitted_at = map.ArrivedAt(index);
    outcome->started_at = started_at;
    outcome->ended_at = now;
    outcome->detail = std::make_unique<OutcomeDetail>();
    outcome->detail->death = loss.death;
    outcome->detail->stdout_tail = loss.stdout_tail;
    outcome->detail->stderr_tail = loss.stderr_tail;
    const auto trial = map.trials.find(index);
    outcome->detail->poison = trial != map.trials.end() && trial->second->deaths >= kMostDeaths;
    DropTrial(map, index);
    RecordItem(map, index, std::move(outcome));
  }
  CheckMapDone(map);
}

}  // namespace poold::core
