#include "core/map/map_items.h"

#include <algorithm>
#include <iterator>

namespace poold::core {

void MapItems::Append(std::shared_ptr<const ItemColumn> column, std::uint64_t skip, Nanos now) {
  Column added;
  added.first = items_;
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
  items_ += added.count;
  columns_.emplace_hint(columns_.end(), added.first, std::move(added));
}

const MapItems::Column& MapItems::ColumnOf(std::uint64_t index) const {
  return std::prev(columns_.upper_bound(index))->second;
}

std::uint64_t MapItems::OffsetOf(const Column& column, std::uint64_t place) {
  if (place == column.items->lengths.size()) return column.items->data.size();
  std::uint64_t offset = column.offsets[place / kStride];
  for (std::uint64_t i = place - place % kStride; i < place; ++i) offset += column.items->lengths[i];
  return offset;
}

std::vector<ItemSlice> MapItems::Slices(std::uint64_t begin, std::uint64_t count) const {
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

std::uint64_t MapItems::BytesOf(std::uint64_t begin, std::uint64_t count) const {
  std::uint64_t bytes = 0;
  for (const ItemSlice& slice : Slices(begin, count)) bytes += slice.data.size();
  return bytes;
}

std::uint64_t MapItems::ColumnEnd(std::uint64_t index) const {
  const Column& column = ColumnOf(index);
  return column.first + column.count;
}

// ---- What is sent next ----

std::uint32_t MapItems::NextAttempts() const {
  if (NextIsRetry()) return retries_.at(retries_ready_.back())->attempt;
  return splits_.empty() ? 0 : splits_.back().attempts;
}

std::uint64_t MapItems::NextItem() const {
  if (!retries_ready_.empty()) return retries_ready_.back();
  if (!splits_.empty()) return splits_.back().range.begin;
  return again_.empty() ? next_fresh_ : again_.front();
}

ItemRange MapItems::Take(std::uint64_t most) {
  ItemRange taken;
  if (!retries_ready_.empty()) {
    taken = {retries_ready_.back(), retries_ready_.back() + 1};
    retries_ready_.pop_back();
    --again_items_;
  } else if (!splits_.empty()) {
    ItemRange& split = splits_.back().range;
    taken = {split.begin, std::min(split.end, split.begin + most)};
    split.begin = taken.end;
    if (split.size() == 0) splits_.pop_back();
    again_items_ -= taken.size();
  } else if (!again_.empty()) {
    taken = again_.TakeFront(most);
    again_items_ -= taken.size();
  } else {
    taken = {next_fresh_, std::min(items_, next_fresh_ + most)};
    next_fresh_ = taken.end;
  }
  return taken;
}

void MapItems::GiveBack(ItemRange range, std::uint32_t attempts) {
  if (range.size() == 1 && retries_.contains(range.begin)) {
    retries_ready_.push_back(range.begin);
  } else if (attempts > 0) {
    splits_.push_back({range, attempts});
  } else {
    again_.Add(range);
  }
  again_items_ += range.size();
}

// ---- What is tried again ----

ItemRetry* MapItems::Retry(std::uint64_t index, std::uint32_t attempt, std::uint32_t most_attempts, bool death) {
  std::unique_ptr<ItemRetry>& retry = retries_[index];
  if (retry == nullptr) retry = std::make_unique<ItemRetry>();
  retry->deaths += death;
  if (retry->deaths >= kMostDeaths || attempt >= most_attempts) return nullptr;
  retry->map = map_;
  retry->index = index;
  retry->attempt = attempt;
  retry->waiting = true;
  ++waiting_items_;
  return retry.get();
}

void MapItems::RetryDue(ItemRetry& retry) {
  retry.waiting = false;
  --waiting_items_;
  GiveBack({retry.index, retry.index + 1}, retry.attempt);
}

void MapItems::DropRetry(std::uint64_t index) {
  const auto at = retries_.find(index);
  if (at == retries_.end() || at->second->waiting) return;
  retries_.erase(at);
}

bool MapItems::IsPoison(std::uint64_t index) const {
  const auto at = retries_.find(index);
  return at != retries_.end() && at->second->deaths >= kMostDeaths;
}

// ---- What ends ----

void MapItems::NoteDone(ItemRange range, std::uint64_t unsuccessful, Dropped* dropped) {
  done_items_ += range.size();
  unsuccessful_items_ += unsuccessful;
  auto at = columns_.upper_bound(range.begin);
  if (at != columns_.begin()) --at;
  while (at != columns_.end() && at->first < range.end) {
    Column& column = at->second;
    const std::uint64_t begin = std::max(range.begin, column.first);
    const std::uint64_t end = std::min(range.end, column.first + column.count);
    if (begin < end) column.left -= end - begin;
    if (column.left > 0) {
      ++at;
      continue;
    }
    dropped->Add(std::move(column.items));
    at = columns_.erase(at);
  }
}

std::string MapItems::Check() const {
  std::uint64_t again = again_.CountItems() + retries_ready_.size();
  for (const Split& split : splits_) again += split.range.size();
  if (again != again_items_) return "a map counts other items that come again than it has";
  if (next_fresh_ > items_) return "a map sent items that have not come";
  if (done_items_ + cancelled_items_ > items_) return "more items of a map have ended than have come";
  std::uint64_t waiting = 0;
  for (const auto& [index, retry] : retries_) waiting += retry->waiting;
  if (waiting != waiting_items_) return "a map counts other items that wait for their next try than it has";
  for (const std::uint64_t index : retries_ready_) {
    const auto at = retries_.find(index);
    if (at == retries_.end() || at->second->waiting) return "an item is ready for a next try that nobody knows of";
  }
  return "";
}

}  // namespace poold::core
