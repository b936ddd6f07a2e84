#include "session/item_window.h"

#include <algorithm>

namespace poold::client::internal {

void ItemWindow::Push(const MapBatch& batch) {
  lengths_.insert(lengths_.end(), batch.item_bytes.begin(), batch.item_bytes.end());
  items_.append(batch.items);
  complete_ |= batch.complete;
}

MapBatch ItemWindow::Next() {
  const std::size_t from = begin_ + (next_ - first_);
  std::size_t to = from;
  std::uint64_t bytes = 0;
  const std::uint64_t most = narrow_ ? most_items_ - (next_ - first_) : kMostItems;
  while (to < lengths_.size() && to - from < most && (to == from || bytes + lengths_[to] <= kMostBytes)) {
    bytes += lengths_[to++];
  }
  const MapBatch batch{.item_bytes = std::span(lengths_).subspan(from, to - from),
                       .items = std::string_view(items_).substr(next_bytes_, bytes),
                       .complete = complete_ && to == lengths_.size()};
  next_ += to - from;
  next_bytes_ += bytes;
  told_complete_ = batch.complete;
  return batch;
}

void ItemWindow::Acknowledge(std::uint64_t batch) {
  while (!under_way_.empty() && under_way_.front().batch <= batch) {
    DropBefore(under_way_.front().end);
    under_way_.pop_front();
    most_items_ = std::min(kMostItems, most_items_ * 2);
    narrow_ &= most_items_ < kMostItems;
  }
}

void ItemWindow::Rewind(std::uint64_t index, bool fewer) {
  DropBefore(index);
  if (fewer && next_ > first_) {
    most_items_ = static_cast<std::uint32_t>(
        std::max<std::uint64_t>(std::min<std::uint64_t>(most_items_, next_ - first_) / 2, 1));
    narrow_ = true;
  }
  under_way_.clear();
  next_ = first_;
  next_bytes_ = begin_bytes_;
  told_complete_ = false;
}

void ItemWindow::DropBefore(std::uint64_t index) {
  for (; first_ < std::min(index, end()); ++first_) begin_bytes_ += lengths_[begin_++];
  if (next_ < first_) {
    next_ = first_;
    next_bytes_ = begin_bytes_;
  }
  // Moved together when at least half of it is waste: each byte is moved once on average.
  if (begin_ * 2 < lengths_.size()) return;
  lengths_.erase(lengths_.begin(), lengths_.begin() + static_cast<std::ptrdiff_t>(begin_));
  items_.erase(0, begin_bytes_);
  next_bytes_ -= begin_bytes_;
  begin_ = begin_bytes_ = 0;
}

}  // namespace poold::client::internal
