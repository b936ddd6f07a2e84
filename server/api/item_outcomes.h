// Outcomes of map items on their way to a client: blocks that the core keeps, cut to fit into messages.
//
// Threads: see each class. Ownership: shares blocks with the core until their items were sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/convert.h"
#include "base/clock.h"
#include "core/types.h"
#include "engine/subscriber.h"
#include "google/protobuf/repeated_field.h"
#include "poold/v1/map.pb.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::api {

// The room that is left in the message under way.
struct MessageRoom {
  std::size_t bytes = 1 << 20;
  std::size_t outcomes = 16'384;
  bool full() const { return bytes == 0 || outcomes == 0; }
  void Use(std::size_t used_bytes, std::size_t used_outcomes = 1) {
    bytes -= used_bytes < bytes ? used_bytes : bytes;
    outcomes -= used_outcomes < outcomes ? used_outcomes : outcomes;
  }
};

// ItemReader: a block that is being sent, and the place of its next item. Used by one thread at a time.
class ItemReader {
 public:
  // Passes over items below `first_index`.
  explicit ItemReader(core::ItemBlockPtr block, std::uint64_t first_index = 0);

  bool done() const { return item_ == block_->result_bytes.size(); }
  // Appends the items that fit; at least one if there is room at all.
  void Write(std::uint64_t max_inline_bytes, const WallTime& wall, MessageRoom* room,
             google::protobuf::RepeatedPtrField<v1::ItemOutcomes>* out);

 private:
  std::pair<std::size_t, std::size_t> RunFromHere(std::uint64_t max_inline_bytes, const MessageRoom& room) const;
  void WriteRun(std::uint64_t max_inline_bytes, MessageRoom* room, v1::ItemOutcomes* out);
  void WriteItem(std::uint64_t max_inline_bytes, const WallTime& wall, MessageRoom* room, v1::ItemOutcomes* out);

  core::ItemBlockPtr block_;
  // The next item, the first byte of its result, and the number of items before it that have more than a result.
  std::size_t item_ = 0;
  std::size_t byte_ = 0;
  std::size_t other_ = 0;
};

// ItemSource: the messages of one GetItems: blocks of outcomes in the order of the items, or in that of their ends.
//
// Threads: Add and AddEnd are called under the core's mutex, Fill by one thread at a time. A slow reader costs pointers
// to blocks, which the core keeps in any case.
class ItemSource {
 public:
  // `clock` and `names` must outlive it.
  ItemSource(std::uint64_t first_index, bool as_completed, std::uint64_t max_inline_bytes, const base::Clock& clock,
             const engine::ClientNames& names)
      : as_completed_(as_completed),
        max_inline_bytes_(max_inline_bytes),
        clock_(clock),
        names_(names),
        next_index_(first_index) {}

  // Takes a block of the map, or the map's end.
  void Add(core::ItemBlockPtr block);
  void AddEnd(const core::MapView& map);

  // True: `message` holds outcomes, or the end of the map in `end`, which the last message has. False: there is nothing
  // now.
  bool Fill(v1::GetItemsResponse* message);

 private:
  void TakePending();
  // Moves the block whose turn it is into reader_. False: there is none.
  bool NextBlock();

  const bool as_completed_;
  const std::uint64_t max_inline_bytes_;
  const base::Clock& clock_;
  const engine::ClientNames& names_;

  absl::Mutex mu_;
  std::deque<core::ItemBlockPtr> pending_ ABSL_GUARDED_BY(mu_);
  std::optional<core::MapView> pending_end_ ABSL_GUARDED_BY(mu_);

  // Owned by the thread that fills.
  std::uint64_t next_index_;
  // With `as_completed`: blocks in the order of their arrival.
  std::deque<core::ItemBlockPtr> arrived_;
  // Otherwise: blocks by their first item.
  std::multimap<std::uint64_t, core::ItemBlockPtr> by_index_;
  std::optional<core::MapView> end_;
  std::optional<ItemReader> reader_;
};

}  // namespace poold::api
