#include "rpc/item_source.h"

#include <algorithm>
#include <utility>

namespace poold::rpc {

void ItemSource::Add(core::ItemBlockPtr block) {
  absl::MutexLock lock(&mu_);
  pending_.push_back(std::move(block));
}

void ItemSource::AddEnd(const core::MapView& map) {
  absl::MutexLock lock(&mu_);
  pending_end_ = map;
}

void ItemSource::TakePending() {
  std::deque<core::ItemBlockPtr> blocks;
  {
    absl::MutexLock lock(&mu_);
    blocks.swap(pending_);
    if (pending_end_) end_ = std::exchange(pending_end_, std::nullopt);
  }
  for (core::ItemBlockPtr& block : blocks) {
    if (as_completed_) {
      arrived_.push_back(std::move(block));
    } else {
      const std::uint64_t first = block->first_index;
      by_index_.emplace(first, std::move(block));
    }
  }
}

bool ItemSource::NextBlock() {
  if (as_completed_) {
    if (arrived_.empty()) return false;
    reader_.emplace(std::move(arrived_.front()), next_index_);
    arrived_.pop_front();
    return true;
  }
  // After the end of the map nothing is to come that could fill a gap.
  if (by_index_.empty() || (by_index_.begin()->first > next_index_ && !end_)) return false;
  core::ItemBlockPtr block = std::move(by_index_.begin()->second);
  by_index_.erase(by_index_.begin());
  const std::uint64_t first_wanted = next_index_;
  next_index_ = std::max(next_index_, block->first_index + block->result_bytes.size());
  reader_.emplace(std::move(block), first_wanted);
  return true;
}

bool ItemSource::Fill(v1::GetItemsResponse* message) {
  TakePending();
  const WallTime wall(clock_);
  MessageRoom room;
  while (!room.full() && (reader_ || NextBlock())) {
    reader_->Write(max_inline_bytes_, wall, &room, message->mutable_outcomes());
    if (reader_->done()) reader_.reset();
  }
  if (!reader_ && arrived_.empty() && by_index_.empty() && end_) {
    WriteMap(*end_, {WallTime(clock_), names_}, message->mutable_end());
    end_.reset();
  }
  return message->outcomes_size() > 0 || message->has_end();
}

}  // namespace poold::rpc
