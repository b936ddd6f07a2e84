// How items and maps end without a worker's word.
#include <algorithm>
#include <utility>

#include "core/state.h"

namespace poold::core {

void Core::State::CheckMapDone(MapRun& map) {
  if (map.ended || !map.chunks.empty() || map.waiting_items > 0) return;
  if (map.cut ? map.ready_items() == 0 : ((map.complete || map.closed) && map.done_items == map.items)) EndMap(map);
}

void Core::State::EndMap(MapRun& map) {
  Pool& pool = *map.group->pool;
  UnqueueMap(map);
  while (!map.chunks.empty()) Unsend(*map.chunks.back());
  ForgetRetries(map);
  if (!map.columns.empty()) dropped.AddWhole(std::exchange(map.columns, {}));
  timers.Clear(&map.timer);
  timers.Clear(&map.orphan_timer);
  MapRun* last = pool.maps.back();
  pool.maps[map.place_in_pool] = last;
  last->place_in_pool = map.place_in_pool;
  pool.maps.pop_back();
  if (pool.maps.empty()) pools_with_maps.erase(pool.id);
  EndHandle(map);
}

// What waits is dropped now, what was sent and not begun comes back and is dropped; what was begun ends by itself.
std::uint64_t Core::State::CutMap(MapRun& map) {
  map.cut = true;
  std::uint64_t dropped = DropReadyItems(map);
  const std::vector<Chunk*> chunks = map.chunks;
  for (Chunk* chunk : chunks) TakeBackItems(*chunk, 0);
  dropped += DropReadyItems(map);
  return dropped;
}

void Core::State::ForgetRetry(MapRun& map, std::map<std::uint64_t, std::unique_ptr<ItemRetry>>::iterator at) {
  Pool& pool = *map.group->pool;
  const auto& [index, retry] = *at;
  timers.Clear(&retry->timer);
  if (retry->waiting) {
    --pool.stats.queued;
    pool.stats.queued_bytes -= map.BytesOf(index, 1);
    ++pool.stats.cancelled;
    ++map.cancelled_items;
    --map.waiting_items;
  }
  map.retries.erase(at);
}

void Core::State::ForgetRetries(MapRun& map) {
  while (!map.retries.empty()) ForgetRetry(map, map.retries.begin());
}

std::uint64_t Core::State::DropNextItems(MapRun& map) {
  Pool& pool = *map.group->pool;
  const ItemRange range = map.TakeItems(map.ready_items());
  pool.stats.queued -= range.size();
  pool.stats.queued_bytes -= map.BytesOf(range.begin, range.size());
  pool.stats.cancelled += range.size();
  map.cancelled_items += range.size();
  return range.size();
}

std::uint64_t Core::State::DropReadyItems(MapRun& map) {
  UnqueueMap(map);
  std::uint64_t dropped = map.waiting_items;
  while (map.ready_items() > 0) dropped += DropNextItems(map);
  ForgetRetries(map);
  return dropped;
}

void Core::State::EndItems(MapRun& map, ItemRange range, const OutcomePtr& outcome) {
  constexpr std::uint64_t kMost = 65536;
  while (range.size() > 0) {
    ItemBlock block;
    block.first_index = range.begin;
    block.result_bytes.resize(std::min(kMost, range.size()));
    for (std::uint64_t i = 0; i < block.result_bytes.size(); ++i) block.others.emplace_back(range.begin + i, outcome);
    range.begin += block.result_bytes.size();
    KeepBlock(map, std::move(block));
  }
}

void Core::State::EndReadyItems(MapRun& map, const OutcomePtr& outcome) {
  Pool& pool = *map.group->pool;
  UnqueueMap(map);
  while (map.ready_items() > 0) {
    const ItemRange range = map.TakeItems(map.ready_items());
    pool.stats.queued -= range.size();
    pool.stats.queued_bytes -= map.BytesOf(range.begin, range.size());
    EndItems(map, range, outcome);
  }
}

void Core::State::Consume(MapRun& map, ItemRange range) {
  range.end = std::min(range.end, map.items);
  if (range.begin >= range.end) return;
  map.consumed.Add(range);
  DropItemArguments(map, range);
  auto at = map.blocks.upper_bound(range.begin);
  if (at != map.blocks.begin()) --at;
  while (at != map.blocks.end() && at->first < range.end) {
    const ItemBlock& block = *at->second.block;
    const std::uint64_t count = block.result_bytes.size();
    if (!map.consumed.Covers({at->first, at->first + count})) {
      ++at;
      continue;
    }
    UncountKept(map, BytesOf(block), count);
    dropped.Add(std::move(at->second.block));
    at = map.blocks.erase(at);
  }
}

void Core::State::DropBlocksOf(MapRun& map) {
  for (const auto& [index, kept_block] : map.blocks) {
    UncountKept(map, BytesOf(*kept_block.block), kept_block.block->result_bytes.size());
  }
  if (!map.blocks.empty()) dropped.AddWhole(std::exchange(map.blocks, {}));
  DropItemArguments(map, {0, map.items});
}

}  // namespace poold::core
