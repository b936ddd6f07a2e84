#include "api/item_outcomes.h"

#include <algorithm>
#include <utility>

namespace poold::api {
namespace {

// A rough size of an outcome that is not packed.
constexpr std::size_t kOtherBytes = 128;

std::size_t RoughBytes(const core::Outcome& outcome) {
  std::size_t bytes = kOtherBytes + outcome.result.data.size();
  if (outcome.detail == nullptr) return bytes;
  bytes += outcome.detail->stdout_tail.size() + outcome.detail->stderr_tail.size();
  if (outcome.detail->failure)
    bytes += outcome.detail->failure->message.size() + outcome.detail->failure->backtrace.size();
  return bytes;
}

}  // namespace

ItemReader::ItemReader(core::ItemBlockPtr block, std::uint64_t first_index) : block_(std::move(block)) {
  while (!done() && block_->first_index + item_ < first_index) byte_ += block_->result_bytes[item_++];
  while (other_ < block_->others.size() && block_->others[other_].first < first_index) ++other_;
}

void ItemReader::Write(std::uint64_t max_inline_bytes, const WallTime& wall, MessageRoom* room,
                       google::protobuf::RepeatedPtrField<v1::ItemOutcomes>* out) {
  if (done() || room->full()) return;
  v1::ItemOutcomes* part = out->Add();
  part->set_first_index(block_->first_index + item_);
  part->set_encoding(static_cast<v1::Encoding>(block_->encoding));
  if (block_->type_name != nullptr) part->set_type_name(*block_->type_name);
  while (!done() && !room->full()) {
    WriteRun(max_inline_bytes, room, part);
    if (!done() && !room->full()) WriteItem(max_inline_bytes, wall, room, part);
  }
}

// Where the neighbours end of which only results are to be told and that fit, and how many bytes these have.
std::pair<std::size_t, std::size_t> ItemReader::RunFromHere(std::uint64_t max_inline_bytes,
                                                            const MessageRoom& room) const {
  const core::ItemBlock& block = *block_;
  const std::size_t count = block.result_bytes.size();
  // The whole block, as most are, needs no look at each item.
  const bool whole = item_ == 0 && block.others.empty() && block.results.size() <= max_inline_bytes;
  if (whole && block.results.size() + count <= room.bytes && count <= room.outcomes)
    return {count, block.results.size()};
  const std::size_t next_other = other_ < block.others.size() ? block.others[other_].first - block.first_index : count;
  const std::size_t most = std::min(next_other, item_ + room.outcomes);
  std::size_t end = item_;
  std::size_t bytes = 0;
  for (; end < most && block.result_bytes[end] <= max_inline_bytes && bytes + (end - item_) < room.bytes; ++end) {
    bytes += block.result_bytes[end];
  }
  return {end, bytes};
}

void ItemReader::WriteRun(std::uint64_t max_inline_bytes, MessageRoom* room, v1::ItemOutcomes* out) {
  const core::ItemBlock& block = *block_;
  const auto [end, bytes] = RunFromHere(max_inline_bytes, *room);
  if (end == item_) return;
  const std::size_t count = end - item_;
  out->mutable_result_bytes()->Add(&block.result_bytes[item_], &block.result_bytes[item_] + count);
  if (bytes > 0) out->mutable_results()->append(block.results, byte_, bytes);
  room->Use(bytes + count, count);
  byte_ += bytes;
  item_ = end;
}

// The one that WriteRun stopped at.
void ItemReader::WriteItem(std::uint64_t max_inline_bytes, const WallTime& wall, MessageRoom* room,
                           v1::ItemOutcomes* out) {
  const core::ItemBlock& block = *block_;
  const std::uint64_t index = block.first_index + item_;
  const std::uint32_t bytes = block.result_bytes[item_];
  if (other_ < block.others.size() && block.others[other_].first == index) {
    const core::Outcome& outcome = *block.others[other_++].second;
    out->add_result_bytes(0);
    v1::ItemOutcome* other = out->add_others();
    other->set_index(index);
    WriteOutcome(outcome, wall, max_inline_bytes, other->mutable_outcome());
    room->Use(RoughBytes(outcome));
  } else {  // too long to go inline
    out->add_result_bytes(0);
    v1::ItemOutcome* other = out->add_others();
    other->set_index(index);
    other->mutable_outcome()->set_state(v1::TASK_STATE_SUCCEEDED);
    v1::Payload* result = other->mutable_outcome()->mutable_result();
    result->set_encoding(static_cast<v1::Encoding>(block.encoding));
    if (block.type_name != nullptr) result->set_type_name(*block.type_name);
    result->set_size_bytes(bytes);
    room->Use(kOtherBytes);
  }
  byte_ += bytes;
  ++item_;
}

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

}  // namespace poold::api
