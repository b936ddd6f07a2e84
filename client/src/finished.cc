#include "poold/mocks/finished.h"

#include "convert.h"
#include "error.h"
#include "session/handle_state.h"

namespace poold::client {
namespace internal {
namespace {

// Owns cells that have ended before anybody saw them.
class NoSession : public HandleOwner {
 public:
  bool Wait(std::span<HandleState* const> cells, WaitMode mode, Deadline deadline) override { return true; }
  void Watch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) override {
    for (WaitNode& node : nodes) node.waiter->collector->ended.push_back(node.index);
  }
  void Unwatch(std::span<HandleState* const> cells, std::span<WaitNode> nodes) override {}
  std::optional<std::uint32_t> Collect(Waiter& waiter, Deadline deadline) override {
    if (!waiter.over()) return std::nullopt;
    const std::uint32_t index = waiter.collector->ended.front();
    waiter.collector->ended.pop_front();
    return index;
  }
  bool WaitForBlock(MapHandleState& map, std::uint64_t blocks, Deadline deadline) override { return true; }
  void Walked(MapHandleState& map, const ItemCursor& cursor) override {}
  Mutex& mutex() override { return mu_; }
  absl::StatusOr<bool> Cancel(HandleState& cell, bool running) override { return false; }
  void CancelSoon(HandleState& cell, bool running) override {}
  absl::StatusOr<v1::GetResponse> Ask(HandleState& cell) override {
    return absl::UnimplementedError("a finished handle of a mock has no daemon to ask");
  }
  void OnProgress(HandleState& cell, ProgressCallback callback) override {}
  std::optional<ResultInArena> InArena(const v1::Payload& told) override { return std::nullopt; }
  std::shared_ptr<const HeldResult> HoldInArena(const v1::Payload& told) override { return nullptr; }
  absl::StatusOr<Downloaded> Download(const HandleId& id, std::uint64_t index, const v1::Payload& told) override {
    return absl::UnimplementedError("a finished handle of a mock has nothing to download");
  }
  void OnDone(HandleState& cell, std::function<void(HandleState*)> callback) override {
    cell.handles.fetch_add(1);
    callback(&cell);
  }
  std::string instance_id() override { return "mock"; }
  void Dropped(HandleState* cell) override {
    if (cell->is_map) {
      delete AsMap(cell);
    } else {
      delete AsTask(cell);
    }
  }

 private:
  Mutex mu_;
};

template <typename Cell>
Cell* NewCell(std::string function) {
  static const auto* const owner = new std::shared_ptr<HandleOwner>(std::make_shared<NoSession>());
  auto* const cell = new Cell;
  cell->id = HandleId::Random();
  cell->owner = *owner;
  cell->Detail().own_function = std::move(function);
  return cell;
}

}  // namespace

TaskRef RefuseTooLong(std::string_view function, std::string_view why) {
  const std::string name(function);
  return MakeRefusedTask(
      name, MakeError(reason::kTooLarge, "the arguments of " + name + " do not travel: " + std::string(why)));
}

}  // namespace internal

internal::TaskRef MakeEndedTask(std::string function, Outcome outcome) {
  auto* cell = internal::NewCell<internal::TaskHandleState>(std::move(function));
  internal::EndWithOutcome(cell, std::make_shared<const v1::Outcome>(ToProto(outcome)));
  return internal::TaskRef(cell);
}

internal::TaskRef MakeRefusedTask(std::string function, absl::Status why) {
  auto* cell = internal::NewCell<internal::TaskHandleState>(std::move(function));
  internal::EndWithRefusal(cell, std::move(why));
  return internal::TaskRef(cell);
}

internal::MapRef MakeRefusedMap(std::string function, absl::Status why) {
  auto* cell = internal::NewCell<internal::MapHandleState>(std::move(function));
  internal::EndWithRefusal(cell, std::move(why));
  return internal::MapRef(cell);
}

internal::TaskRef MakeFinishedTaskOf(Payload result) {
  result.size_bytes = result.data.size();
  return MakeEndedTask("a mocked task", {.state = TaskState::kSucceeded, .result = std::move(result), .attempt = 1});
}

internal::TaskRef MakeFailedTask(std::string function, std::string type, std::string message) {
  return MakeEndedTask(std::move(function), {.state = TaskState::kFailed,
                                             .failure = Failure{.type = std::move(type), .message = std::move(message)},
                                             .attempt = 1});
}

internal::MapRef MakeEndedMap(std::string function, std::vector<Outcome> items) {
  auto* cell = internal::NewCell<internal::MapHandleState>(std::move(function));
  cell->items_sent = items.size();
  cell->progress.items = items.size();
  cell->progress.complete = true;
  v1::ItemOutcomes outcomes;
  for (std::uint64_t index = 0; index < items.size(); ++index) {
    outcomes.add_result_bytes(0);
    v1::ItemOutcome* other = outcomes.add_others();
    other->set_index(index);
    *other->mutable_outcome() = ToProto(items[index]);
  }
  internal::AddBlock(cell, std::move(outcomes));
  internal::Publish(cell,
                    cell->progress.unsuccessful_items == 0 ? internal::Phase::kSucceeded : internal::Phase::kEnded);
  return internal::MapRef(cell);
}

}  // namespace poold::client
