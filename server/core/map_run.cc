#include "core/map_run.h"

#include <algorithm>
#include <numeric>

namespace poold::core {

void ItemRanges::Add(ItemRange range) {
  if (range.size() == 0) return;
  auto at = ranges_.upper_bound(range.begin);
  if (at != ranges_.begin() && std::prev(at)->second >= range.begin) {
    --at;
    if (range.end <= at->second) return;
    // The usual way to grow: at the end of the one before.
    if (const auto next = std::next(at); next == ranges_.end() || next->first > range.end) {
      at->second = range.end;
      return;
    }
  }
  while (at != ranges_.end() && at->first <= range.end) {
    range.begin = std::min(range.begin, at->first);
    range.end = std::max(range.end, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace(range.begin, range.end);
}

bool ItemRanges::Covers(ItemRange range) const {
  auto at = ranges_.upper_bound(range.begin);
  return at != ranges_.begin() && std::prev(at)->second >= range.end;
}

ItemRange ItemRanges::TakeFront(std::uint64_t most) {
  const auto first = ranges_.begin();
  const ItemRange taken{first->first, std::min(first->second, first->first + most)};
  const std::uint64_t end = first->second;
  ranges_.erase(first);
  if (taken.end < end) ranges_.emplace(taken.end, end);
  return taken;
}

void MapRun::Append(std::shared_ptr<const ItemColumn> column, std::uint64_t skip, Nanos now) {
  Column added;
  added.first = items;
  added.skip = skip;
  added.count = column->lengths.size() - skip;
  added.arrived_at = now;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < column->lengths.size(); i += kStride) {
    added.offsets.push_back(offset);
    const auto end = std::min(column->lengths.size(), i + static_cast<std::size_t>(kStride));
    for (std::size_t j = i; j < end; ++j) offset += column->lengths[j];
  }
  added.items = std::move(column);
  added.left = added.count;
  items += added.count;
  columns.emplace_hint(columns.end(), added.first, std::move(added));
}

void MapRun::AddChunk(Chunk* chunk) {
  chunk->place_in_map = chunks.size();
  chunks.push_back(chunk);
}

void MapRun::RemoveChunk(Chunk* chunk) {
  Chunk* const last = chunks.back();
  chunks[chunk->place_in_map] = last;
  last->place_in_map = chunk->place_in_map;
  chunks.pop_back();
}

void MapRun::NoteDone(ItemRange range, Dropped* dropped) {
  auto at = columns.upper_bound(range.begin);
  if (at != columns.begin()) --at;
  while (at != columns.end() && at->first < range.end) {
    Column& column = at->second;
    const std::uint64_t begin = std::max(range.begin, column.first);
    const std::uint64_t end = std::min(range.end, column.first + column.count);
    if (begin < end) column.left -= end - begin;
    if (column.left > 0) {
      ++at;
      continue;
    }
    dropped->Add(std::move(column.items));
    at = columns.erase(at);
  }
}

bool MapRun::IsDone(std::uint64_t index) const {
  if (consumed.Covers({index, index + 1})) return true;
  const auto behind = blocks.upper_bound(index);
  if (behind == blocks.begin()) return false;
  const ItemBlock& block = *std::prev(behind)->second.block;
  return index - block.first_index < block.result_bytes.size();
}

const MapRun::Column& MapRun::ColumnOf(std::uint64_t index) const {
  return std::prev(columns.upper_bound(index))->second;
}

std::uint64_t MapRun::OffsetOf(const Column& column, std::uint64_t place) {
  if (place == column.items->lengths.size()) return column.items->data.size();
  std::uint64_t offset = column.offsets[place / kStride];
  for (std::uint64_t i = place - place % kStride; i < place; ++i) offset += column.items->lengths[i];
  return offset;
}

Nanos MapRun::ArrivedAt(std::uint64_t index) const { return ColumnOf(index).arrived_at; }

std::vector<ItemSlice> MapRun::Slices(std::uint64_t begin, std::uint64_t count) const {
  std::vector<ItemSlice> slices;
  while (count > 0) {
    const Column& column = ColumnOf(begin);
    const std::uint64_t place = column.skip + (begin - column.first);
    const std::uint64_t here = std::min(count, column.first + column.count - begin);
    const std::uint64_t from = OffsetOf(column, place);
    const std::uint64_t to = OffsetOf(column, place + here);
    slices.push_back({column.items, place, here, column.items->data.view().substr(from, to - from)});
    begin += here;
    count -= here;
  }
  return slices;
}

std::uint64_t MapRun::BytesOf(std::uint64_t begin, std::uint64_t count) const {
  std::uint64_t bytes = 0;
  for (const ItemSlice& slice : Slices(begin, count)) bytes += slice.data.size();
  return bytes;
}

ItemRetry* MapRun::NextRetry() const {
  if (retries_ready.empty()) return nullptr;
  return retries.at(retries_ready.back()).get();
}

std::uint32_t MapRun::NextAttempts() const {
  if (const ItemRetry* retry = NextRetry()) return retry->attempt;
  return splits.empty() ? 0 : splits.back().attempts;
}

ItemRange MapRun::TakeItems(std::uint64_t most) {
  ItemRange taken;
  if (!retries_ready.empty()) {
    taken = {retries_ready.back(), retries_ready.back() + 1};
    retries_ready.pop_back();
    --again_items;
  } else if (!splits.empty()) {
    ItemRange& split = splits.back().range;
    taken = {split.begin, std::min(split.end, split.begin + most)};
    split.begin = taken.end;
    if (split.size() == 0) splits.pop_back();
    again_items -= taken.size();
  } else if (!again.empty()) {
    taken = again.TakeFront(most);
    again_items -= taken.size();
  } else {
    taken = {next_fresh, std::min(items, next_fresh + most)};
    next_fresh = taken.end;
  }
  return taken;
}

std::uint64_t MapRun::OldestReady() const {
  if (!retries_ready.empty()) return retries_ready.back();
  if (!splits.empty()) return splits.back().range.begin;
  return again.empty() ? next_fresh : again.front();
}

std::uint64_t MapRun::ColumnEnd(std::uint64_t index) const {
  const Column& column = ColumnOf(index);
  return column.first + column.count;
}

void MapRun::GiveBack(ItemRange range, std::uint32_t attempts) {
  if (range.size() == 1 && retries.contains(range.begin)) {
    retries_ready.push_back(range.begin);
  } else if (attempts > 0) {
    splits.push_back({range, attempts});
  } else {
    again.Add(range);
  }
  again_items += range.size();
}

}  // namespace poold::core
