// What is behind a MapHandle<R>, without the type. Not for users.
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
#include "poold/v1/map.pb.h"

namespace poold::client::internal {

class Downloaded;

struct MapHandleState;

// Outcomes of neighbouring items, with where each result begins in message.results(). Immutable once a walk has found
// it; before, neighbours are added (Append in handle_state.cc): a block costs far more than an item.
struct ItemBlock {
  v1::ItemOutcomes message;
  std::vector<std::uint32_t> begins;
  // Of a map that was cancelled: these items never got an outcome, because of `why`, where that is set.
  bool cancelled = false;
  v1::Outcome why;
  // The daemon knows that it is here.
  bool told = true;
  // Its number in the order of arrival.
  std::uint64_t arrival = 0;
  // Of all items there is a result here, as MessagePack, at this place and so long.
  bool plain = false;
  const char* results = nullptr;

  std::uint64_t first() const { return message.first_index(); }
  std::uint64_t count() const { return begins.size(); }
};

// One item's outcome, as it lies in its block: valid until the cursor moves on.
struct ItemView {
  std::uint64_t index = 0;
  // Set when it is not a plain success that came inline.
  const v1::Outcome* other = nullptr;
  ResultView result;
};

// Where a walk over the items stands. A plain value; start with {}.
struct ItemCursor {
  std::uint64_t position = 0;  // in order: the next index; as completed: items seen
  std::uint64_t block = 0;     // as completed: the block in order of arrival
  std::uint64_t in_block = 0;
  std::shared_ptr<const ItemBlock> at;  // in order: the block that held the last one
};

// How the item ended where it is not a plain success that came inline; else null.
const v1::Outcome* OtherOf(const ItemBlock& block, std::uint64_t index);

// Field by field, where it is wanted: a copy of what was just written in pieces has to wait for them, for longer than
// all else here takes. REQUIRES: the block has so many items.
inline void LookAt(const ItemBlock& block, std::uint64_t in_block, ItemView* view) {
  const v1::ItemOutcomes& message = block.message;
  const auto bytes = message.result_bytes(static_cast<int>(in_block));
  view->index = block.first() + in_block;
  view->other = block.cancelled || message.others_size() != 0 ? OtherOf(block, view->index) : nullptr;
  view->result.encoding = message.encoding();
  view->result.type_name = message.type_name();
  view->result.data = std::string_view(message.results()).substr(block.begins[in_block], bytes);
}

inline void Skip(ItemCursor* cursor, MapOrder order) {
  ++cursor->position;
  if (order != MapOrder::kInOrder) ++cursor->in_block;
}

// The next item of the block that the cursor holds, which is the way of nearly all. False: it has none, ask Next.
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

// What StepInBlock would come to, where nothing but its result is to be known of it: see ItemBlock::plain. Then Skip
// goes on. False: ask StepInBlock.
inline bool PeekPlain(const ItemCursor& cursor, MapOrder order, std::uint64_t* index, std::string_view* result) {
  const ItemBlock* const block = cursor.at.get();
  if (block == nullptr || !block->plain) return false;
  // A position before the block is far behind its end, too.
  const std::uint64_t in_block = order == MapOrder::kInOrder ? cursor.position - block->first() : cursor.in_block;
  if (in_block >= block->count()) return false;
  *index = block->first() + in_block;
  *result = {block->results + block->begins[in_block],
             static_cast<std::size_t>(block->message.result_bytes(static_cast<int>(in_block)))};
  return true;
}

class MapRef {
 public:
  MapRef() = default;
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

  explicit operator bool() const { return cell_ != nullptr; }
  MapHandleState* get() const { return cell_; }

  // The next item in this order; nothing at the end. WAIT_TIMEOUT leaves the cursor where it is.
  absl::StatusOr<std::optional<ItemView>> Next(ItemCursor* cursor, MapOrder order, Duration timeout) const;
  // As Next, and when `whole` has passed: cancels what is left, MAP_TIMEOUT.
  absl::StatusOr<std::optional<ItemView>> NextWithin(ItemCursor* cursor, MapOrder order, Duration timeout,
                                                     const Deadline& whole) const;
  // The bytes of an item's result that did not come inline.
  absl::StatusOr<Payload> Download(std::uint64_t index, const v1::Outcome& outcome) const;
  // The same where they lie.
  absl::StatusOr<OwnedResult> Own(std::uint64_t index, const v1::Outcome& outcome) const;
  bool Wait(Duration timeout) const;
  bool done() const;
  bool lost() const;
  // The daemon's refusal or HANDLE_LOST; OK while neither is known.
  absl::Status refusal() const;
  v1::MapProgress Progress() const;
  absl::StatusOr<bool> Cancel(bool running) const;
  void CancelSoon(bool running) const;
  // The item behind the last one that was sent: the input failed there. REQUIRES: the map is not complete.
  void FailInput(v1::Outcome why) const;
  bool streamed() const;
  void OnProgress(ProgressCallback callback) const;
  void OnDone(std::function<void(MapRef)> callback) const;
  HandleId id() const;
  std::string ToString() const;
  void Keep() const;
  std::string function() const;

  friend bool operator==(const MapRef&, const MapRef&) = default;

 private:
  absl::StatusOr<std::shared_ptr<const Downloaded>> BringItem(std::uint64_t index, const v1::Payload& told) const;
  void LeaveBlock(ItemCursor* cursor, MapOrder order) const;
  void Drop();
  MapHandleState* cell_ = nullptr;
};

// How an item ended, as a status; OK when it succeeded.
absl::Status ItemStatus(std::string_view function, std::uint64_t index, const v1::Outcome& outcome);

}  // namespace poold::client::internal
