// Outcomes of items.
#include <algorithm>

#include "core/state.h"

namespace poold::core {

void Core::State::TakeItemResults(WorkerId worker_id, AttemptToken token, ItemBlock items, Nanos elapsed) {
  Chunk* chunk = FindChunk(worker_id, token);
  const std::uint64_t count = items.result_bytes.size();
  if (chunk == nullptr || count == 0 || items.first_index != chunk->done || count > chunk->count - chunk->done) {
    if (Worker* worker = staffing.Find(worker_id)) worker->pool->stats.dropped_results += count;
    return dropped.AddWhole(std::move(items));
  }
  MapRun& map = *chunk->map;
  Worker& worker = *chunk->worker;
  Pool& pool = *worker.pool;
  CallsCameBack(pool, map.group->function, elapsed, count, items.results.size());
  worker.load -= Nanos{chunk->estimate} * static_cast<Nanos>(count);
  if (worker.tasks_done == 0) pool.OriginOf(worker).tries.Worked();
  worker.tasks_done += count;
  pool.stats.running -= count;
  chunk->done += static_cast<std::uint32_t>(count);
  items.first_index += chunk->begin;
  for (auto& [index, outcome] : items.others) {
    index += chunk->begin;
    // Ours alone until now: process/ made it for this call.
    Outcome& fresh = const_cast<Outcome&>(*outcome);
    fresh.attempt = chunk->attempt;
    fresh.submitted_at = map.ArrivedAt(index);
    fresh.started_at = std::max(chunk->item_since, fresh.started_at);
    fresh.ended_at = now;
    if (chunk->tails == nullptr || index != items.first_index) continue;
    if (fresh.detail == nullptr) fresh.detail = std::make_unique<OutcomeDetail>();
    fresh.detail->stdout_tail = std::move(chunk->tails->stdout_tail);
    fresh.detail->stderr_tail = std::move(chunk->tails->stderr_tail);
  }
  chunk->tails.reset();  // what an item writes comes before its outcome, and after that of the one before it
  chunk->item_since = worker.progress_at = now;
  if (chunk->intent == TaskState::kTimedOut) {  // the one that was too late came back after all; the next one is not
    chunk->intent = TaskState::kUnspecified;
    chunk->out_of_time = false;
  }
  pool.index.Touch(worker);
  const std::uint32_t attempt = chunk->attempt;
  if (chunk->done == chunk->count) {
    Unsend(*chunk);
  } else if (map.group->timed) {
    ArmChunk(*chunk);
  }
  const std::uint64_t first = items.first_index;
  KeepBlock(map, RetryItemsOf(map, std::move(items), attempt));
  if (attempt > 1) DropRetry(map, first);
  CheckMapDone(map);
  ReconcileWorker(pool, worker);
}

// Leaves out the items that are tried again. They are the fewest, so a block is cut at each of them.
ItemBlock Core::State::RetryItemsOf(MapRun& map, ItemBlock items, std::uint32_t attempt) {
  const TaskOptions& options = *map.group->options;
  if (items.others.empty() || options.max_attempts == 1 || map.cut) return items;
  std::vector<std::uint64_t> again;
  for (const auto& [index, outcome] : items.others) {
    if (RetryItem(map, index, attempt, outcome->state, /*death=*/false)) again.push_back(index);
  }
  std::uint64_t begin = items.first_index;
  for (const std::uint64_t index : again) {
    KeepBlock(map, CutBlock(items, begin, index));
    begin = index + 1;
  }
  return again.empty() ? std::move(items) : CutBlock(items, begin, items.first_index + items.result_bytes.size());
}

ItemBlock Core::State::CutBlock(const ItemBlock& block, std::uint64_t begin, std::uint64_t end) const {
  ItemBlock part;
  part.first_index = begin;
  part.encoding = block.encoding;
  part.type_name = block.type_name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t index = block.first_index; index < end; ++index) {
    const std::uint32_t length = block.result_bytes[index - block.first_index];
    if (index < begin) {
      offset += length;
    } else {
      bytes += length;
      part.result_bytes.push_back(length);
    }
  }
  part.results = block.results.substr(offset, bytes);
  for (const auto& other : block.others) {
    if (other.first >= begin && other.first < end) part.others.push_back(other);
  }
  return part;
}

void Core::State::KeepBlock(MapRun& map, ItemBlock block) {
  if (block.result_bytes.empty()) return;
  Pool& pool = *map.group->pool;
  const std::uint64_t count = block.result_bytes.size();
  pool.stats.succeeded += count - block.others.size();
  for (const auto& [index, outcome] : block.others) CountEnd(pool.stats, outcome->state, 1);
  map.done_items += count;
  map.unsuccessful_items += block.others.size();
  const bool failed = !block.others.empty();
  const ItemRange range{block.first_index, block.first_index + count};
  const auto shared = std::make_shared<const ItemBlock>(std::move(block));
  DeliverBlock(map, shared);
  if (!map.released && !map.consumed.Covers(range)) {
    map.blocks.emplace(range.begin, MapRun::KeptBlock{shared, map.arrivals++});
    CountKept(map, BytesOf(*shared), count);
    if (failed) KeepItemArguments(map, *shared);
  } else {
    dropped.Add(shared);
  }
  map.NoteDone(range, &dropped);
  if (failed && map.fail_fast) CutMap(map);
  TellWatchers(map);
  if (room.IsOverfull() || Drains(*map.group->pool)) MakeRoom(map, BytesOf(*shared));
}

void Core::State::RecordItem(MapRun& map, std::uint64_t index, OutcomePtr outcome) {
  ItemBlock block;
  block.first_index = index;
  block.result_bytes.push_back(0);
  block.others.emplace_back(index, std::move(outcome));
  KeepBlock(map, std::move(block));
}

bool Core::State::RetryItem(MapRun& map, std::uint64_t index, std::uint32_t attempt, TaskState state, bool death) {
  const TaskOptions& options = *map.group->options;
  if (map.cut || options.max_attempts == 1 || map.group->pool->broken) return false;
  if ((options.retry_on >> static_cast<unsigned>(state) & 1) == 0) return false;
  std::unique_ptr<ItemRetry>& retry = map.retries[index];
  if (retry == nullptr) retry = std::make_unique<ItemRetry>();
  retry->deaths += death;
  if (retry->deaths >= kMostDeaths || attempt >= options.max_attempts) return false;
  retry->map = &map;
  retry->index = index;
  retry->attempt = attempt;
  retry->waiting = true;
  ++map.waiting_items;
  ++map.group->pool->stats.retried;
  ++map.group->pool->stats.queued;
  map.group->pool->stats.queued_bytes += map.BytesOf(index, 1);
  timers.Set(&retry->timer, After(now, RetryPause(options, attempt)), TimerKind::kItemRetry, retry.get());
  return true;
}

void Core::State::ItemRetryDue(ItemRetry& retry) {
  MapRun& map = *retry.map;
  if (map.group->pool->cancels()) return;  // it goes with the map
  retry.waiting = false;
  --map.waiting_items;
  map.GiveBack({retry.index, retry.index + 1}, retry.attempt);
  QueueMap(map, /*in_front=*/true);
  Reconcile(*map.group->pool);
}

void Core::State::DropRetry(MapRun& map, std::uint64_t index) {
  const auto at = map.retries.find(index);
  if (at == map.retries.end() || at->second->waiting) return;
  map.retries.erase(at);
}

}  // namespace poold::core
