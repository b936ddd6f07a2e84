// The end of a worker: who dies with it, who runs elsewhere.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {
namespace {

// How a worker of a strict pool died. REQUIRES: what it had is with it still.
std::string StoryOf(const Worker& worker, const DeathCertificate& death) {
  std::string story = absl::StrCat("worker ", static_cast<std::uint64_t>(worker.id), " (pid ", worker.pid, ") ");
  if (death.signal != 0) {
    absl::StrAppend(&story, "was ended by signal ", death.signal);
  } else {
    absl::StrAppend(&story, "exited with code ", death.exit_code);
  }
  const Node* head = worker.sent.front();
  if (head == nullptr) return absl::StrCat(story, " while it was idle");
  return absl::StrCat(story, " in function '", worker.pool->functions[HandleOf(head).group->function].name, "'");
}

}  // namespace

void Core::State::LoseWorker(Worker& worker, WorkerLoss loss) {
  const std::shared_ptr<Pool> pool = worker.pool;
  const Staffing::Loss how = staffing.NoteLoss(worker, loss.death, loss.has_guilty);
  std::string story = how.breaks ? StoryOf(worker, loss.death) : "";
  // From the back, so that what comes back to the front of the queue has its order again.
  if (pool->sweep == Sweep::kAll) SweepSent(worker);
  while (Node* last = worker.sent.back()) {
    // Without a page it is not known what was begun: all of it may have been.
    const bool guilty = !worker.uses_page || (loss.has_guilty && TokenOf(last) == loss.guilty);
    if (last->kind == NodeKind::kTask) {
      LoseTask(*AsTask(last), guilty, loss);
    } else {
      LoseChunk(*AsChunk(last), guilty, loss);
    }
  }
  staffing.Forget(worker, how, std::move(loss.start_failure), loss.cause);
  if (pool->breakers_open > 0) scheduler.TakeBackHeldCalls(*pool);
  if (how.breaks) return FailPool(*pool, std::move(story));
  Reconcile(*pool);
}

void Core::State::LoseTask(Task& task, bool guilty, WorkerLoss& loss) {
  const TaskState intent = task.intent;
  const bool head = task.worker->sent.front() == &task;
  const Nanos started_at = head ? std::max(task.sent_at, task.worker->progress_at) : task.sent_at;
  const bool probe = CircuitBreakers::IsProbe(task, task.token);
  Unsend(task);
  task.intent = TaskState::kUnspecified;
  if (!guilty && intent == TaskState::kUnspecified) {
    task.ran_on = {};
    --task.attempt;
    if (task.group->pool->runs_only) {  // it was thought to have begun when its pool was closed
      return EndTask(task, CancelledOutcome(task, "its pool was closed"));
    }
    if (faults.forget_unbegun) task.not_before = kNever;
    return Queue(task, /*in_front=*/true);
  }
  const TaskState state = intent != TaskState::kUnspecified ? intent : TaskState::kCrashed;
  if (state == TaskState::kCrashed) {
    ++task.deaths;
    scheduler.NoteDeath(*task.group->pool, task.group->function, probe, loss.death.killed_by);
  }
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

void Core::State::ReturnItems(MapRun& map, ItemRange range, std::uint32_t attempts, bool split) {
  Pool& pool = *map.group->pool;
  pool.stats.queued += range.size();
  pool.stats.queued_bytes += map.BytesOf(range.begin, range.size());
  if (split) {
    const std::uint64_t middle = range.begin + (range.size() + 1) / 2;
    pool.stats.retried += range.size();
    map.GiveBack({middle, range.end}, attempts);
    map.GiveBack({range.begin, middle}, attempts);
  } else {
    map.GiveBack(range, attempts);
  }
  if (map.cut) {
    DropReadyItems(map);
  } else {
    QueueMap(map, /*in_front=*/true);
  }
}

void Core::State::LoseChunk(Chunk& chunk, bool guilty, WorkerLoss& loss) {
  MapRun& map = *chunk.map;
  Pool& pool = *map.group->pool;
  const TaskState intent = chunk.intent;
  const std::uint32_t attempt = chunk.attempt;
  const std::uint64_t begin = chunk.begin + chunk.done;
  const std::uint64_t end = chunk.begin + chunk.count;
  const bool page = chunk.worker->uses_page;
  const bool split = !page && intent == TaskState::kUnspecified && end - begin > 1;
  // Items before the guilty one were delivered; if some were not, they are lost with it rather than run twice. Without
  // a page the one that was too late is the first that is not answered.
  const std::uint64_t named = page ? std::max(begin, chunk.begin + loss.guilty_item) : begin;
  const std::uint64_t lost_end = guilty && !split ? std::min(end, named + 1) : begin;
  const bool out_of_time = chunk.out_of_time;
  const Nanos started_at = chunk.item_since;
  const std::unique_ptr<ItemTails> tails = std::move(chunk.tails);
  const bool spoke = chunk.spoke;
  const bool probe = CircuitBreakers::IsProbe(map, chunk.token);
  Unsend(chunk);
  // The deaths of one search for a guilty item are counted when it begins, and when the item is alone.
  if (guilty && intent == TaskState::kUnspecified && (!split || attempt == 1)) {
    scheduler.NoteDeath(pool, map.group->function, probe, loss.death.killed_by);
  }
  if (end > lost_end) {
    // What may have been begun counts as an attempt.
    ReturnItems(map, {lost_end, end}, page || faults.forget_tries ? attempt - 1 : attempt, split);
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
    // The worker's last words may be those of an item before it.
    outcome->detail->stdout_tail = tails != nullptr ? tails->stdout_tail : spoke ? "" : loss.stdout_tail;
    outcome->detail->stderr_tail = tails != nullptr ? tails->stderr_tail : spoke ? "" : loss.stderr_tail;
    const auto retry = map.retries.find(index);
    outcome->detail->poison = retry != map.retries.end() && retry->second->deaths >= kMostDeaths;
    DropRetry(map, index);
    RecordItem(map, index, std::move(outcome));
  }
  CheckMapDone(map);
}

}  // namespace poold::core
