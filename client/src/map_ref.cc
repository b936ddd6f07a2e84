#include "poold/client/internal/map_ref.h"

#include <algorithm>
#include <array>

#include "convert.h"
#include "error.h"
#include "poold/codec/large_text.h"
#include "session/handle_state.h"
#include "wire/absl_text.h"

namespace poold::client::internal {
namespace {

absl::Status NoMap() { return absl::FailedPreconditionError("this MapHandle refers to no map"); }

// Of an item that its map took with it.
const v1::Outcome& CancelledOutcome() {
  static const auto* const outcome = [] {
    auto* made = new v1::Outcome;
    made->set_state(v1::TASK_STATE_CANCELLED);
    made->mutable_failure()->set_type("poold.Cancelled");
    made->mutable_failure()->set_message("its map was cancelled");
    return made;
  }();
  return *outcome;
}

// Looks without waiting. REQUIRES: the owner's lock is held.
bool FindInOrder(const MapHandleState& map, ItemCursor* cursor) {
  auto after = map.by_index.upper_bound(cursor->position);
  if (after == map.by_index.begin()) return false;
  const auto& block = std::prev(after)->second;
  if (cursor->position >= block->first() + block->count()) return false;
  cursor->at = block;
  return true;
}

bool FindArrived(MapHandleState& map, ItemCursor* cursor) {
  if (cursor->block < map.arrived_before || cursor->block - map.arrived_before >= map.arrived.size()) return false;
  map.arrived_seen = std::max(map.arrived_seen, cursor->block + 1);
  cursor->at = map.arrived[cursor->block - map.arrived_before];
  cursor->in_block = 0;
  return true;
}

bool Find(MapHandleState& map, ItemCursor* cursor, MapOrder order) {
  return order == MapOrder::kInOrder ? FindInOrder(map, cursor) : FindArrived(map, cursor);
}

}  // namespace

const v1::Outcome* OtherOf(const ItemBlock& block, std::uint64_t index) {
  const auto& received = static_cast<const ReceivedBlock&>(block);
  if (received.cancelled) {
    return received.why.state() != v1::TASK_STATE_UNSPECIFIED ? &received.why : &CancelledOutcome();
  }
  for (const auto& other : received.message.others()) {
    if (other.index() == index) return &other.outcome();
  }
  return nullptr;
}

Outcome OutcomeOf(const v1::Outcome& outcome) { return FromProto(outcome); }

absl::Status ItemStatus(std::string_view function, std::uint64_t index, const v1::Outcome& outcome) {
  return OutcomeStatus("item " + std::to_string(index) + " of " + std::string(function), outcome);
}

MapRef::MapRef(const MapRef& other) : cell_(other.cell_) {
  if (cell_ != nullptr) cell_->handles.fetch_add(1, std::memory_order_relaxed);
}

void MapRef::Drop() {
  if (cell_->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::shared_ptr<HandleOwner> owner = std::move(cell_->owner);
  owner->Dropped(cell_);
}

void MapRef::LeaveBlock(ItemCursor* cursor, MapOrder order) const {
  cursor->at = nullptr;
  if (order != MapOrder::kInOrder) ++cursor->block;
  if (streamed()) cell_->owner->Walked(*cell_, *cursor);
}

absl::StatusOr<std::optional<ItemView>> MapRef::Next(ItemCursor* cursor, MapOrder order, Duration timeout) const {
  if (cell_ == nullptr) return NoMap();
  if (!cell_->owner->here()) return ForkedError();
  const Deadline deadline(timeout);
  while (true) {
    ItemView item;
    if (StepInBlock(cursor, order, &item)) return item;
    if (cursor->at != nullptr) LeaveBlock(cursor, order);
    std::uint64_t seen = 0;
    {
      MutexLock lock(&cell_->owner->mutex());
      if (Find(*cell_, cursor, order)) continue;
      if (cell_->done()) break;
      seen = cell_->blocks;
    }
    if (!cell_->owner->WaitForBlock(*cell_, seen, deadline)) {
      absl::Status why = std::exchange(WhyNoWait(), absl::OkStatus());
      return why.ok() ? WaitTimeoutError(cell_->FunctionName()) : why;
    }
  }
  if (absl::Status refused = refusal(); !refused.ok()) return refused;
  return std::optional<ItemView>();
}

absl::StatusOr<std::optional<ItemView>> MapRef::NextWithin(ItemCursor* cursor, MapOrder order, Duration timeout,
                                                           const Deadline& whole) const {
  auto item = Next(cursor, order, std::min(timeout, whole.left()));
  if (item.ok() || !whole.passed() || ReasonOf(item.status()) != reason::kWaitTimeout) return item;
  CancelSoon(/*running=*/false);
  return MapTimeoutError(function());
}

// An item's result that did not come inline: brought for want of room in the daemon, which has dropped it then, or from
// there.
absl::StatusOr<std::shared_ptr<const Downloaded>> MapRef::BringItem(std::uint64_t index,
                                                                    const v1::Payload& told) const {
  const auto brought = [&]() -> std::shared_ptr<const Downloaded> {
    MutexLock lock(&cell_->owner->mutex());
    const auto at = cell_->brought.find(index);
    return at != cell_->brought.end() ? at->second : nullptr;
  };
  if (auto here = brought()) return here;
  auto bytes = cell_->owner->Download(cell_->id, index, told);
  if (bytes.ok()) return std::make_shared<const Downloaded>(*std::move(bytes));
  if (auto here = brought()) return here;
  return bytes.status();
}

absl::StatusOr<Payload> MapRef::Download(std::uint64_t index, const v1::Outcome& outcome) const {
  const v1::Payload& result = outcome.result();
  Payload payload{FromProto(result.encoding()), result.type_name(), result.data()};
  if (result.size_bytes() <= result.data().size()) return payload;
  const auto bytes = BringItem(index, result);
  if (!bytes.ok()) return bytes.status();
  payload.data = codec::CopyText((*bytes)->view());
  return payload;
}

absl::StatusOr<OwnedResult> MapRef::Own(std::uint64_t index, const v1::Outcome& outcome) const {
  const v1::Payload& result = outcome.result();
  if (result.size_bytes() <= result.data().size())
    return CopyOf({FromProto(result.encoding()), result.type_name(), result.data()});
  auto bytes = BringItem(index, result);
  if (!bytes.ok()) return bytes.status();
  const std::string_view data = (*bytes)->view();
  return OwnedResult{FromProto(result.encoding()), result.type_name(), data, *std::move(bytes)};
}

bool MapRef::Wait(Duration timeout) const {
  if (cell_ == nullptr || cell_->done()) return true;
  std::array<HandleState*, 1> cells{cell_};
  return cell_->owner->Wait(cells, WaitMode::kAllCompleted, Deadline(timeout));
}

bool MapRef::done() const { return cell_ == nullptr || cell_->done(); }

bool MapRef::lost() const { return cell_ != nullptr && cell_->phase.published() == Phase::kLost; }

absl::Status MapRef::refusal() const {
  if (cell_ == nullptr) return NoMap();
  const Phase phase = cell_->phase.published();
  if (phase != Phase::kRefused && phase != Phase::kLost) return absl::OkStatus();
  return cell_->detail->refusal;
}

MapProgress MapRef::Progress() const {
  if (cell_ == nullptr || !cell_->owner->here()) return {};
  MutexLock lock(&cell_->owner->mutex());
  MapProgress progress = cell_->progress;
  progress.id = cell_->id;
  progress.items = std::max(progress.items, cell_->items_sent);
  progress.complete = cell_->input.now() != MapInput::kOpen || progress.complete;
  progress.done = cell_->done();
  return progress;
}

absl::StatusOr<bool> MapRef::Cancel(bool running) const {
  if (cell_ == nullptr) return NoMap();
  if (cell_->done()) return false;
  return cell_->owner->Cancel(*cell_, running);
}

void MapRef::CancelSoon(bool running) const {
  if (cell_ != nullptr && !cell_->done()) cell_->owner->CancelSoon(*cell_, running);
}

bool MapRef::streamed() const { return cell_ != nullptr && cell_->call && cell_->call->streamed; }

void MapRef::FailInput(const Outcome& why) const {
  if (cell_ == nullptr || !cell_->owner->here()) return;
  MutexLock lock(&cell_->owner->mutex());
  v1::ItemOutcomes outcomes;
  outcomes.set_first_index(cell_->items_sent);
  outcomes.add_result_bytes(0);
  outcomes.add_others()->set_index(cell_->items_sent);
  *outcomes.mutable_others(0)->mutable_outcome() = ToProto(why);
  AddBlock(cell_, std::move(outcomes));
}

void MapRef::OnProgress(ProgressCallback callback) const {
  if (cell_ != nullptr) cell_->owner->OnProgress(*cell_, std::move(callback));
}

void MapRef::OnDone(std::function<void(MapRef)> callback) const {
  if (cell_ == nullptr) return;
  cell_->owner->OnDone(*cell_, [callback = std::move(callback)](HandleState* cell) { callback(MapRef(AsMap(cell))); });
}

HandleId MapRef::id() const { return cell_ != nullptr ? cell_->id : HandleId{}; }

std::string MapRef::ToString() const {
  if (cell_ == nullptr) return "";
  Keep();
  return "poold:" + cell_->owner->instance_id() + ":" + cell_->id.ToHex();
}

void MapRef::Keep() const {
  if (cell_ != nullptr) cell_->Keep();
}

std::string MapRef::function() const { return cell_ != nullptr ? cell_->FunctionName() : ""; }

}  // namespace poold::client::internal
