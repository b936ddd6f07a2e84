#include "core/map_course.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/outcome/outcome_bytes.h"
#include "core/task/ending.h"
#include "core/task_course.h"

namespace poold::core {

void MapCourse::CheckDone(MapRun& map) {
  if (map.ended() || !map.chunks.empty() || map.items.waiting() > 0) return;
  const bool all = (map.complete || map.life == MapLife::kClosed) && map.items.done() == map.items.arrived();
  if (map.cut() ? map.items.ready() == 0 : all) End(map);
}

void MapCourse::End(MapRun& map) {
  scheduler_.UnqueueMap(map);
  while (!map.chunks.empty()) scheduler_.Unsend(*map.chunks.back());
  while (ItemRetry* retry = map.items.AnyRetry()) DropRetry(map, *retry);
  map.items.DropBytes(&dropped_);
  timers_.Clear(&map.timer);
  TakesNoMore(map);
  map_lives_.Move(map.life, map.cut() ? MapLife::kEndedCut : MapLife::kEnded);
  endings_.MapEnded(map);
}

void MapCourse::MarkCut(MapRun& map) {
  if (map.cut()) return;
  TakesNoMore(map);
  map_lives_.Move(map.life, MapLife::kCut);
}

// What waits is dropped now, what was sent and not begun comes back and is dropped; what was begun ends by itself.
void MapCourse::Cut(MapRun& map) {
  MarkCut(map);
  DropReady(map);
  const std::vector<Chunk*> chunks = map.chunks;
  for (Chunk* chunk : chunks) scheduler_.TakeBackItems(*chunk, 0);
  DropReady(map);
}

void MapCourse::Close(MapRun& map) {
  if (map.life != MapLife::kOpen) return;
  TakesNoMore(map);
  map_lives_.Move(map.life, MapLife::kClosed);
  CheckDone(map);
}

void MapCourse::Withdraw(MapRun& map) {
  map.released = true;
  MarkCut(map);
  endings_.Withdraw(map);
  End(map);
}

void MapCourse::HasGrown(MapRun& map) {
  if (map.complete) TakesNoMore(map);
  if (map.ended()) return;
  if (!map.complete && map.life == MapLife::kOpen && !map.open.linked()) {
    open_.Add(map.group->queue->client, &map.open);
  }
  scheduler_.QueueMap(map, /*in_front=*/false);
  if (map.group->timed || map.not_before > now_) scheduler_.deadlines().ArmMap(map, now_);
  delivery_.Changed(map);
  CheckDone(map);
}

void MapCourse::Abandon(MapRun& map) {
  MarkCut(map);
  DropReady(map);
  for (const Chunk* chunk : map.chunks) {
    map.items.NoteCancelled(chunk->count - chunk->done);
    map.group->pool->stats.cancelled += chunk->count - chunk->done;
  }
  End(map);
}

bool MapCourse::Cancel(MapRun& map, bool running) {
  Cut(map);
  const std::vector<Chunk*> chunks = map.chunks;
  for (Chunk* chunk : chunks) {
    if (!running || chunk->life != ChunkLife::kSent) continue;
    chunk_lives_.Move(chunk->life, ChunkLife::kCancelling);
    scheduler_.KillUnder(*chunk->worker, chunk, KilledBy::kCancel);
  }
  const bool done = map.chunks.empty();
  CheckDone(map);
  return running || done;
}

// ---- Items ----

ItemRange MapCourse::TakeReady(MapRun& map, std::uint64_t most) {
  const ItemRange range = map.items.Take(most);
  scheduler_.ItemsWaitNoMore(map, range);
  return range;
}

// REQUIRES: some are ready.
void MapCourse::DropNext(MapRun& map) {
  const ItemRange range = TakeReady(map, map.items.ready());
  map.group->pool->stats.cancelled += range.size();
  map.items.NoteCancelled(range.size());
}

void MapCourse::DropRetry(MapRun& map, ItemRetry& retry) {
  timers_.Clear(&retry.timer);
  if (retry.waiting) {
    scheduler_.ItemsWaitNoMore(map, {retry.index, retry.index + 1});
    ++map.group->pool->stats.cancelled;
    map.items.NoteCancelled(1);
  }
  map.items.ForgetRetry(retry);
}

void MapCourse::DropReady(MapRun& map) {
  scheduler_.UnqueueMap(map);
  while (map.items.ready() > 0) DropNext(map);
  while (ItemRetry* retry = map.items.AnyRetry()) DropRetry(map, *retry);
}

bool MapCourse::CutSome(MapRun& map, Steps* steps) {
  MarkCut(map);
  scheduler_.UnqueueMap(map);
  for (; map.items.ready() > 0 && steps->any(); steps->Spend(1)) DropNext(map);
  for (ItemRetry* retry = nullptr; steps->any() && (retry = map.items.AnyRetry()) != nullptr; steps->Spend(1)) {
    DropRetry(map, *retry);
  }
  return steps->any();
}

void MapCourse::EndItems(MapRun& map, ItemRange range, const OutcomePtr& outcome) {
  constexpr std::uint64_t kMost = 65536;
  while (range.size() > 0) {
    ItemBlock block;
    block.first_index = range.begin;
    block.result_bytes.resize(std::min(kMost, range.size()));
    for (std::uint64_t i = 0; i < block.result_bytes.size(); ++i) block.others.emplace_back(range.begin + i, outcome);
    range.begin += block.result_bytes.size();
    Record(map, std::move(block));
  }
}

bool MapCourse::EndReady(MapRun& map, const OutcomePtr& outcome, Steps* steps) {
  while (map.items.ready() > 0 && steps->any()) {
    const ItemRange range = TakeReady(map, std::min(map.items.ready(), steps->left()));
    steps->Spend(range.size());
    EndItems(map, range, outcome);
  }
  if (map.items.ready() == 0) scheduler_.UnqueueMap(map);
  return map.items.ready() == 0;
}

void MapCourse::Record(MapRun& map, ItemBlock block) {
  if (block.result_bytes.empty()) return;
  Pool& pool = *map.group->pool;
  const std::uint64_t count = block.result_bytes.size();
  const std::size_t unsuccessful = block.others.size();
  pool.stats.succeeded += count - unsuccessful;
  for (const auto& [index, outcome] : block.others) CountEnd(pool.stats, outcome->state, 1);
  const ItemRange range{block.first_index, block.first_index + count};
  const auto shared = std::make_shared<const ItemBlock>(std::move(block));
  delivery_.SendBlock(map, shared);
  endings_.KeepBlock(map, shared);
  map.items.NoteDone(range, unsuccessful, &dropped_);
  if (unsuccessful > 0 && map.fail_fast) Cut(map);
  delivery_.Changed(map);
  endings_.MakeRoom(map, BytesOf(*shared));
}

void MapCourse::RecordItem(MapRun& map, std::uint64_t index, OutcomePtr outcome) {
  ItemBlock block;
  block.first_index = index;
  block.result_bytes.push_back(0);
  block.others.emplace_back(index, std::move(outcome));
  Record(map, std::move(block));
}

// ---- What workers do ----

void MapCourse::TakeResults(Chunk& chunk, ItemBlock items, Nanos elapsed) {
  const std::uint64_t count = items.result_bytes.size();
  MapRun& map = *chunk.map;
  Worker& worker = *chunk.worker;
  Pool& pool = *worker.pool;
  scheduler_.CallsCameBack(pool, map.group->function, elapsed, count, items.results.size());
  if (worker.tasks_done == 0) pool.OriginOf(worker).tries.Worked();
  worker.tasks_done += count;
  items.first_index += chunk.begin;
  for (auto& [index, outcome] : items.others) {
    index += chunk.begin;
    // Ours alone until now: process/ made it for this call.
    Outcome& fresh = const_cast<Outcome&>(*outcome);
    fresh.attempt = chunk.attempt;
    fresh.submitted_at = map.items.ArrivedAt(index);
    fresh.started_at = std::max(chunk.item_since, fresh.started_at);
    fresh.ended_at = now_;
    if (chunk.tails == nullptr || index != items.first_index) continue;
    if (fresh.detail == nullptr) fresh.detail = std::make_unique<OutcomeDetail>();
    fresh.detail->stdout_tail = std::move(chunk.tails->stdout_tail);
    fresh.detail->stderr_tail = std::move(chunk.tails->stderr_tail);
  }
  chunk.tails.reset();  // what an item writes comes before its outcome, and after that of the one before it
  scheduler_.ItemsCameBack(chunk, static_cast<std::uint32_t>(count));
  if (DecidedEnd(chunk.life) == TaskState::kTimedOut) {  // the one that was too late came back after all
    chunk_lives_.Move(chunk.life, ChunkLife::kSent);
  }
  const std::uint32_t attempt = chunk.attempt;
  if (chunk.done == chunk.count) {
    scheduler_.Unsend(chunk);
  } else if (map.group->timed) {
    scheduler_.deadlines().ArmChunk(chunk);
  }
  const std::uint64_t first = items.first_index;
  Record(map, RetryItemsOf(map, std::move(items), attempt));
  if (attempt > 1) map.items.DropRetry(first);
  CheckDone(map);
}

// Leaves out the items that are tried again. They are the fewest, so a block is cut at each of them.
ItemBlock MapCourse::RetryItemsOf(MapRun& map, ItemBlock items, std::uint32_t attempt) {
  const TaskOptions& options = *map.group->options;
  if (items.others.empty() || options.max_attempts == 1 || map.cut()) return items;
  std::vector<std::uint64_t> again;
  for (const auto& [index, outcome] : items.others) {
    if (RetryItem(map, index, attempt, outcome->state, /*death=*/false)) again.push_back(index);
  }
  std::uint64_t begin = items.first_index;
  for (const std::uint64_t index : again) {
    Record(map, CutBlock(items, begin, index));
    begin = index + 1;
  }
  return again.empty() ? std::move(items) : CutBlock(items, begin, items.first_index + items.result_bytes.size());
}

bool MapCourse::RetryItem(MapRun& map, std::uint64_t index, std::uint32_t attempt, TaskState state, bool death) {
  const TaskOptions& options = *map.group->options;
  if (map.cut() || options.max_attempts == 1 || map.group->pool->broken) return false;
  if ((options.retry_on >> static_cast<unsigned>(state) & 1) == 0) return false;
  ItemRetry* const retry = map.items.Retry(index, attempt, options.max_attempts, death);
  if (retry == nullptr) return false;
  ++map.group->pool->stats.retried;
  scheduler_.ItemsWait(map, {index, index + 1});
  timers_.Set(&retry->timer, After(now_, RetryPause(options, attempt, random_)), TimerKind::kItemRetry, retry);
  return true;
}

void MapCourse::GiveBack(MapRun& map, ItemRange range, std::uint32_t attempts, bool split) {
  scheduler_.ItemsWait(map, range);
  if (split) {
    const std::uint64_t middle = range.begin + (range.size() + 1) / 2;
    map.group->pool->stats.retried += range.size();
    map.items.GiveBack({middle, range.end}, attempts);
    map.items.GiveBack({range.begin, middle}, attempts);
  } else {
    map.items.GiveBack(range, attempts);
  }
  if (map.cut()) {
    DropReady(map);
  } else {
    scheduler_.QueueMap(map, /*in_front=*/true);
  }
}

void MapCourse::Lose(Chunk& chunk, bool guilty, const WorkerLoss& loss) {
  MapRun& map = *chunk.map;
  Pool& pool = *map.group->pool;
  const TaskState decided = DecidedEnd(chunk.life);
  const std::uint32_t attempt = chunk.attempt;
  const std::uint64_t begin = chunk.begin + chunk.done;
  const std::uint64_t end = chunk.begin + chunk.count;
  const bool page = chunk.worker->uses_page;
  const bool split = !page && decided == TaskState::kUnspecified && end - begin > 1;
  // Items before the guilty one were delivered; if some were not, they are lost with it rather than run twice. Without
  // a page the one that was too late is the first that is not answered.
  const std::uint64_t named = page ? std::max(begin, chunk.begin + loss.guilty_item) : begin;
  const std::uint64_t lost_end = guilty && !split ? std::min(end, named + 1) : begin;
  const bool out_of_time = chunk.life == ChunkLife::kOutOfTime;
  const Nanos started_at = chunk.item_since;
  const std::unique_ptr<ItemTails> tails = std::move(chunk.tails);
  const bool spoke = chunk.spoke;
  const bool probe = CircuitBreakers::IsProbe(map, chunk.token);
  scheduler_.Unsend(chunk);
  // The deaths of one search for a guilty item are counted when it begins, and when the item is alone.
  if (guilty && decided == TaskState::kUnspecified && (!split || attempt == 1)) {
    scheduler_.NoteDeath(pool, map.group->function, probe, loss.death.killed_by);
  }
  if (end > lost_end) {
    // What may have been begun counts as an attempt.
    GiveBack(map, {lost_end, end}, page || forget_tries_ ? attempt - 1 : attempt, split);
  }
  for (std::uint64_t index = begin; index < lost_end; ++index) {
    const TaskState state = decided != TaskState::kUnspecified ? decided : TaskState::kCrashed;
    if (state == TaskState::kCancelled) {
      map.items.NoteCancelled(1);
      ++pool.stats.cancelled;
      continue;
    }
    const bool death = state == TaskState::kCrashed;
    if (!out_of_time && RetryItem(map, index, attempt, state, death)) continue;
    auto outcome = std::make_shared<Outcome>();
    outcome->state = state;
    outcome->attempt = attempt;
    outcome->submitted_at = map.items.ArrivedAt(index);
    outcome->started_at = started_at;
    outcome->ended_at = now_;
    outcome->detail = std::make_unique<OutcomeDetail>();
    outcome->detail->death = loss.death;
    // The worker's last words may be those of an item before it.
    outcome->detail->stdout_tail = tails != nullptr ? tails->stdout_tail : spoke ? "" : loss.stdout_tail;
    outcome->detail->stderr_tail = tails != nullptr ? tails->stderr_tail : spoke ? "" : loss.stderr_tail;
    outcome->detail->poison = map.items.IsPoison(index);
    map.items.DropRetry(index);
    RecordItem(map, index, std::move(outcome));
  }
  CheckDone(map);
}

// ---- Timers ----

void MapCourse::RetryDue(ItemRetry& retry) {
  MapRun& map = *retry.map;
  map.items.RetryDue(retry);
  scheduler_.QueueMap(map, /*in_front=*/true);
}

// Its present item is over its time.
void MapCourse::ChunkDue(Chunk& chunk) {
  MapRun& map = *chunk.map;
  const bool total = now_ >= After(map.items.ArrivedAt(chunk.begin + chunk.done), map.group->options->total_timeout);
  const std::uint32_t left = chunk.count - chunk.done;
  Worker& worker = *chunk.worker;
  const bool decided = chunk.life != ChunkLife::kSent;  // which stays
  if (!decided && scheduler_.TakeBackItems(chunk, 0) < left &&
      scheduler_.KillUnder(worker, &chunk, KilledBy::kTimeLimit)) {
    chunk_lives_.Move(chunk.life, total ? ChunkLife::kOutOfTime : ChunkLife::kTimingOut);
  }
  ExpireReady(map);
  scheduler_.deadlines().ArmMap(map, now_);
  CheckDone(map);
}

void MapCourse::ExpireReady(MapRun& map) {
  // What is left is due still, and the timer says so.
  for (std::uint64_t left = slice_; left > 0 && map.items.ready() > 0 && now_ >= Deadlines::LatestStart(map);) {
    const bool tried = map.items.NextAttempts() > 0;
    const Nanos arrived_at = map.items.ArrivedAt(map.items.NextItem());
    const std::uint64_t together = map.items.ColumnEnd(map.items.NextItem()) - map.items.NextItem();
    const ItemRange range = TakeReady(map, std::min(left, together));
    left -= range.size();
    if (tried) map.items.DropRetry(range.begin);
    EndItems(map, range,
             tried ? NeverStartedOutcome(TaskState::kTimedOut, "poold.TimedOut",
                                         "total_timeout passed between attempts", arrived_at, now_)
                   : NeverStartedOutcome(TaskState::kExpired, "poold.Expired", "its time passed before it started",
                                         arrived_at, now_));
  }
  if (map.items.ready() == 0) scheduler_.UnqueueMap(map);
}

bool MapCourse::MapDue(MapRun& map) {
  // What was too late is with a worker again, and ChunkDue tells. Stealing would take it back, and this would be called
  // again for it.
  if (map.items.ready() == 0) return false;
  ExpireReady(map);
  scheduler_.QueueMap(map, /*in_front=*/false);
  scheduler_.deadlines().ArmMap(map, now_);
  CheckDone(map);
  return true;
}

std::string MapCourse::Check(const MapRun& map) {
  if (map.ended() && (!map.chunks.empty() || map.items.waiting() > 0)) return "a map has ended of which something runs";
  std::string wrong = map.items.Check();
  return wrong.empty() ? map.outcomes.Check() : wrong;
}

}  // namespace poold::core
