// Outcomes of map items on their way to a client: blocks that the core keeps, cut to fit into messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/types.h"
#include "google/protobuf/repeated_field.h"
#include "poold/v1/map.pb.h"
#include "rpc/convert.h"

namespace poold::rpc {

// What still fits into the message under way.
struct MessageRoom {
  std::size_t bytes = 1 << 20;
  std::size_t outcomes = 16'384;
  bool full() const { return bytes == 0 || outcomes == 0; }
  void Use(std::size_t used_bytes, std::size_t used_outcomes = 1) {
    bytes -= used_bytes < bytes ? used_bytes : bytes;
    outcomes -= used_outcomes < outcomes ? used_outcomes : outcomes;
  }
};

// A block that is being sent, and how far.
class ItemReader {
 public:
  // Passes over items below `first_index`.
  explicit ItemReader(core::ItemBlockPtr block, std::uint64_t first_index = 0);

  bool done() const { return item_ == block_->result_bytes.size(); }
  // Appends what fits; at least one item if there is room at all.
  void Write(std::uint64_t max_inline_bytes, const WallTime& wall, MessageRoom* room,
             google::protobuf::RepeatedPtrField<v1::ItemOutcomes>* out);

 private:
  std::pair<std::size_t, std::size_t> RunFromHere(std::uint64_t max_inline_bytes, const MessageRoom& room) const;
  void WriteRun(std::uint64_t max_inline_bytes, MessageRoom* room, v1::ItemOutcomes* out);
  void WriteItem(std::uint64_t max_inline_bytes, const WallTime& wall, MessageRoom* room, v1::ItemOutcomes* out);

  core::ItemBlockPtr block_;
  std::size_t item_ = 0;
  std::size_t byte_ = 0;
  std::size_t other_ = 0;
};

}  // namespace poold::rpc
