#include "rpc/item_outcomes.h"

#include <utility>

namespace poold::rpc {
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
  if (WriteWhole(max_inline_bytes, room, part)) return;
  while (!done() && !room->full()) WriteItem(max_inline_bytes, wall, room, part);
}

bool ItemReader::WriteWhole(std::uint64_t max_inline_bytes, MessageRoom* room, v1::ItemOutcomes* out) {
  const core::ItemBlock& block = *block_;
  const std::size_t bytes = block.results.size() + block.result_bytes.size();
  const bool fits = bytes <= room->bytes && block.result_bytes.size() <= room->outcomes;
  if (item_ != 0 || !block.others.empty() || !fits || block.results.size() > max_inline_bytes) return false;
  out->mutable_result_bytes()->Add(block.result_bytes.begin(), block.result_bytes.end());
  out->set_results(block.results);
  item_ = block.result_bytes.size();
  room->Use(bytes, item_);
  return true;
}

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
  } else if (bytes > max_inline_bytes) {
    out->add_result_bytes(0);
    v1::ItemOutcome* other = out->add_others();
    other->set_index(index);
    other->mutable_outcome()->set_state(v1::TASK_STATE_SUCCEEDED);
    v1::Payload* result = other->mutable_outcome()->mutable_result();
    result->set_encoding(static_cast<v1::Encoding>(block.encoding));
    if (block.type_name != nullptr) result->set_type_name(*block.type_name);
    result->set_size_bytes(bytes);
    room->Use(kOtherBytes);
  } else {
    out->add_result_bytes(bytes);
    out->mutable_results()->append(block.results, byte_, bytes);
    room->Use(bytes + 1);
  }
  byte_ += bytes;
  ++item_;
}

}  // namespace poold::rpc
