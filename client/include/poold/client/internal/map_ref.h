// MapRef: the part of a MapHandle<R> that does not depend on the type. Not for users.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "poold/client/internal/deadline.h"
#include "poold/client/internal/task_ref.h"
#include "poold/client/options.h"
#include "poold/client/outcome.h"
#include "poold/client/payload.h"
#include "poold/client/task_info.h"

// The contract's messages, of which this header shows no more than their names.
namespace poold::v1 {
class Outcome;
class Payload;
}  // namespace poold::v1

namespace poold::client::internal {

class Downloaded;

struct MapHandleState;

// Outcomes of neighbouring items. Immutable once a walk has found the block; before, outcomes of the next items may be
// appended (Append in handle_state.cc), because a block costs far more than an item. Part of a ReceivedBlock, which
// owns what this part refers to.
struct ItemBlock {
  // The index of the first item.
  std::uint64_t first_index = 0;
  // All inline results, one behind the other, and how each is encoded.
  std::string_view results;
  Encoding encoding = Encoding::kUnspecified;
  std::string_view type_name;
  // The first byte of each item's result in `results`, and its length.
  std::vector<std::uint32_t> begins;
  const std::uint32_t* result_bytes = nullptr;
  // Some items have an outcome in place of an inline result: OtherOf.
  bool has_others = false;
  // All items have an inline MessagePack result.
  bool plain = false;

  // The index of the first item.
  std::uint64_t first() const { return first_index; }
  // The number of items.
  std::uint64_t count() const { return begins.size(); }
};

// One item's outcome inside its block. Valid until the cursor moves on.
struct ItemView {
  std::uint64_t index = 0;
  // The outcome; null for a compact success, whose `result` is inline.
  const v1::Outcome* other = nullptr;
  ResultView result;
};

// The place of a walk over the items. A plain value; a walk starts with {}.
struct ItemCursor {
  // In order: the next index. As completed: the number of items that were seen.
  std::uint64_t position = 0;
  // As completed: the block's number in the order of arrival.
  std::uint64_t block = 0;
  // As completed: the next item in that block.
  std::uint64_t in_block = 0;
  // The block in which the walk stands. Null: none was found yet, or the last one was left.
  std::shared_ptr<const ItemBlock> at;
};

// The outcome of an item; null for a compact success with an inline result.
const v1::Outcome* OtherOf(const ItemBlock& block, std::uint64_t index);

// Fills `view` field by field. A copy of a struct that was just written in pieces would wait for those writes, for
// longer than all the rest takes. REQUIRES: the block has such an item.
inline void LookAt(const ItemBlock& block, std::uint64_t in_block, ItemView* view) {
  view->index = block.first() + in_block;
  view->other = block.has_others ? OtherOf(block, view->index) : nullptr;
  view->result.encoding = block.encoding;
  view->result.type_name = block.type_name;
  view->result.data = block.results.substr(block.begins[in_block], block.result_bytes[in_block]);
}

// Moves the cursor behind the item that PeekPlain or StepInBlock showed.
inline void Skip(ItemCursor* cursor, MapOrder order) {
  ++cursor->position;
  if (order != MapOrder::kInOrder) ++cursor->in_block;
}

// Takes the next item of the cursor's block and moves on: the way of nearly all items. False: the block has none, call
// Next.
inline bool StepInBlock(ItemCursor* cursor, MapOrder order, ItemView* view) {
  const ItemBlock* const block = cursor->at.get();
  if (block == nullptr) return false;
  std::uint64_t in_block = cursor->in_block;
  if (order == MapOrder::kInOrder) {
    if (cursor->position < block->first()) return false;
    in_block = cursor->position - block->first();
  }
  if (in_block >= block->count()) return false;
  LookAt(*block, in_block, view);
  Skip(cursor, order);
  return true;
}

// Shows the index and the result of the next item of a plain block without moving on; Skip moves on. False: call
// StepInBlock.
inline bool PeekPlain(const ItemCursor& cursor, MapOrder order, std::uint64_t* index, std::string_view* result) {
  const ItemBlock* const block = cursor.at.get();
  if (block == nullptr || !block->plain) return false;
  // A position before the block is far behind its end, too.
  const std::uint64_t in_block = order == MapOrder::kInOrder ? cursor.position - block->first() : cursor.in_block;
  if (in_block >= block->count()) return false;
  *index = block->first() + in_block;
  *result = {block->results.data() + block->begins[in_block], block->result_bytes[in_block]};
  return true;
}

// A counted reference to a map's state. Copies are cheap. Thread-safe as an int.
class MapRef {
 public:
  MapRef() = default;
  // Takes over one reference.
  explicit MapRef(MapHandleState* adopted) : cell_(adopted) {}
  MapRef(const MapRef& other);
  MapRef(MapRef&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  MapRef& operator=(MapRef other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~MapRef() {
    if (cell_ != nullptr) Drop();
  }

  // Whether this refers to a map.
  explicit operator bool() const { return cell_ != nullptr; }
  MapHandleState* get() const { return cell_; }

  // Returns the next item in this order; nothing: the end. Blocks for at most `timeout`. WAIT_TIMEOUT leaves the cursor
  // in its place. Other errors: FORKED, WOULD_DEADLOCK, the daemon's refusal, HANDLE_LOST.
  absl::StatusOr<std::optional<ItemView>> Next(ItemCursor* cursor, MapOrder order, Duration timeout) const;
  // As Next. When `whole` has passed: cancels the items that have not begun and answers MAP_TIMEOUT.
  absl::StatusOr<std::optional<ItemView>> NextWithin(ItemCursor* cursor, MapOrder order, Duration timeout,
                                                     const Deadline& whole) const;
  // Returns an item's result that did not come inline, as a copy. Blocks while the result is brought.
  absl::StatusOr<Payload> Download(std::uint64_t index, const v1::Outcome& outcome) const;
  // As Download, without a copy where that is possible.
  absl::StatusOr<OwnedResult> Own(std::uint64_t index, const v1::Outcome& outcome) const;
  // The methods below are those of MapHandle.
  bool Wait(Duration timeout) const;
  bool done() const;
  bool lost() const;
  // The daemon's refusal or HANDLE_LOST; OK while neither is known.
  absl::Status refusal() const;
  MapProgress Progress() const;
  absl::StatusOr<bool> Cancel(bool running) const;
  void CancelSoon(bool running) const;
  // Gives the item behind the last one that was sent the outcome `why`, because the input failed there. REQUIRES: the
  // map is not complete.
  void FailInput(const Outcome& why) const;
  // Whether both sides forget items that a walk has passed.
  bool streamed() const;
  void OnProgress(ProgressCallback callback) const;
  void OnDone(std::function<void(MapRef)> callback) const;
  HandleId id() const;
  std::string ToString() const;
  void Keep() const;
  // The function's name, or "map " and the id where the name is not known (resumed handles).
  std::string function() const;

  friend bool operator==(const MapRef&, const MapRef&) = default;

 private:
  absl::StatusOr<std::shared_ptr<const Downloaded>> BringItem(std::uint64_t index, const v1::Payload& told) const;
  void LeaveBlock(ItemCursor* cursor, MapOrder order) const;
  void Drop();
  MapHandleState* cell_ = nullptr;
};

// The outcome for users.
Outcome OutcomeOf(const v1::Outcome& outcome);
// An item's end as a status; OK: the item SUCCEEDED.
absl::Status ItemStatus(std::string_view function, std::uint64_t index, const v1::Outcome& outcome);

}  // namespace poold::client::internal
