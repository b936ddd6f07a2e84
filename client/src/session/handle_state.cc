#include "session/handle_state.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "convert.h"
#include "poold/codec/large_text.h"

namespace poold::client::internal {
namespace {

thread_local bool in_output_callback = false;

// Of results that came apart and are kept in one block. What comes as more than kMostAddedItems is not worth a copy.
constexpr int kMostAddedItems = 32;
constexpr std::uint64_t kMostJoinedItems = 4096;
constexpr std::uint64_t kMostJoinedBytes = 64 << 10;

bool Succeeded(const HandleState& cell, Phase phase) {
  if (phase == Phase::kSucceeded) return true;
  return phase == Phase::kEnded && !cell.is_map && cell.detail->outcome->state() == v1::TASK_STATE_SUCCEEDED;
}

// One of the things that this waiter waits for has ended.
void Tell(const WaitNode& node, bool succeeded) {
  Waiter* waiter = node.waiter;
  if (Collector* collector = waiter->collector) {
    collector->ended.push_back(node.index);
    waiter->wake.Signal();
    if (collector->also) collector->also();
    return;
  }
  if (waiter->over()) return;
  const bool enough =
      waiter->mode == WaitMode::kFirstCompleted || (waiter->mode == WaitMode::kFirstException && !succeeded);
  waiter->remaining = enough ? 0 : waiter->remaining - 1;
  if (waiter->over()) waiter->wake.Signal();
}

std::shared_ptr<ReceivedBlock> MakeBlock(v1::ItemOutcomes&& outcomes) {
  auto block = std::make_shared<ReceivedBlock>();
  block->message = std::move(outcomes);
  block->begins.reserve(block->message.result_bytes_size());
  std::uint64_t begin = 0;
  for (std::uint32_t bytes : block->message.result_bytes()) {
    block->begins.push_back(static_cast<std::uint32_t>(begin));
    begin += bytes;
  }
  block->Show(begin);
  return block;
}

std::uint64_t Unsuccessful(const v1::ItemOutcomes& outcomes) {
  return std::count_if(outcomes.others().begin(), outcomes.others().end(), [](const v1::ItemOutcome& other) {
    return other.outcome().state() != v1::TASK_STATE_SUCCEEDED;
  });
}

void CountItems(MapHandleState* map, std::uint64_t first, std::uint64_t items, std::uint64_t unsuccessful) {
  map->progress.done_items += items;
  map->progress.unsuccessful_items += unsuccessful;
  map->received.Add(first, items);
  ++map->blocks;
}

void Keep(MapHandleState* map, std::shared_ptr<ReceivedBlock> block, std::uint64_t unsuccessful) {
  CountItems(map, block->first(), block->count(), unsuccessful);
  block->arrival = map->arrived_before + map->arrived.size();
  const bool streamed = map->call && map->call->streamed;
  const bool in_order = map->call && map->call->options.order == MapOrder::kInOrder;
  if (!streamed || in_order) map->by_index.emplace(block->first(), block);
  if (!streamed || !in_order) map->arrived.push_back(std::move(block));
}

// The block right before `first`, to which items of its kind may be added: no walk has found it. Null: there is none.
ReceivedBlock* OpenBlockBefore(const MapHandleState& map, std::uint64_t first) {
  const bool streamed = map.call && map.call->streamed;
  const auto after = map.by_index.lower_bound(first);
  if (streamed || after == map.by_index.begin()) return nullptr;
  const std::shared_ptr<ReceivedBlock>& block = std::prev(after)->second;
  // By index and by arrival.
  const bool found = block.use_count() > 2 || block->arrival < map.arrived_seen;
  const bool open = !found && block->plain && block->count() < kMostJoinedItems;
  if (!open || block->first() + block->count() != first) return nullptr;
  std::atomic_thread_fence(std::memory_order_acquire);  // a walk that had found it is done with it
  return block.get();
}

// Adds plain results to the block that they go on from. False: there is none, or they are not plain.
bool Append(MapHandleState* map, const v1::ItemOutcomes& outcomes, bool told) {
  const bool small = outcomes.result_bytes_size() <= kMostAddedItems;
  if (!small || outcomes.others_size() != 0 || outcomes.encoding() != v1::ENCODING_MSGPACK) return false;
  ReceivedBlock* const block = OpenBlockBefore(*map, outcomes.first_index());
  if (block == nullptr || block->told != told || block->message.type_name() != outcomes.type_name()) return false;
  std::string& results = *block->message.mutable_results();
  if (results.size() + outcomes.results().size() > kMostJoinedBytes) return false;
  std::uint64_t begin = results.size();
  results += outcomes.results();
  for (const std::uint32_t bytes : outcomes.result_bytes()) {
    block->begins.push_back(static_cast<std::uint32_t>(begin));
    block->message.add_result_bytes(bytes);
    begin += bytes;
  }
  block->Show(begin);
  CountItems(map, outcomes.first_index(), outcomes.result_bytes_size(), 0);
  return true;
}

void Insert(MapHandleState* map, v1::ItemOutcomes&& outcomes, bool told) {
  if (Append(map, outcomes, told)) return;
  auto block = MakeBlock(std::move(outcomes));
  block->told = told;
  const std::uint64_t unsuccessful = Unsuccessful(block->message);
  Keep(map, std::move(block), unsuccessful);
}

// After a reconnect the daemon tells again what was on its way: only what is new is taken, item by item.
void InsertUnknown(MapHandleState* map, const v1::ItemOutcomes& outcomes, bool told) {
  std::size_t begin = 0;
  for (int i = 0; i < outcomes.result_bytes_size(); ++i) {
    const std::uint64_t index = outcomes.first_index() + i;
    const std::size_t bytes = outcomes.result_bytes(i);
    if (!map->received.Contains(index)) {
      v1::ItemOutcomes one;
      one.set_first_index(index);
      one.add_result_bytes(bytes);
      one.set_results(outcomes.results().substr(begin, bytes));
      one.set_encoding(outcomes.encoding());
      one.set_type_name(outcomes.type_name());
      for (const auto& other : outcomes.others()) {
        if (other.index() == index) *one.add_others() = other;
      }
      Insert(map, std::move(one), told);
    }
    begin += bytes;
  }
}

// Neighbours that have no outcome, as one block.
void InsertCancelled(MapHandleState* map, std::uint64_t first, std::uint64_t end) {
  if (first >= end) return;
  v1::ItemOutcomes outcomes;
  outcomes.set_first_index(first);
  outcomes.mutable_result_bytes()->Resize(static_cast<int>(end - first), 0);
  auto block = MakeBlock(std::move(outcomes));
  block->cancelled = true;
  block->told = true;
  block->Show(0);
  if (map->input.now() == MapInput::kCutShort) {
    block->why.set_state(v1::TASK_STATE_CANCELLED);
    block->why.mutable_failure()->set_type("poold.Cancelled");
    block->why.mutable_failure()->set_message(map->why_cut_short);
  }
  Keep(map, std::move(block), end - first);
}

template <typename Callback, typename Argument>
void CallWhileReading(const Callback& callback, const Argument& argument) {
  in_output_callback = true;
  const absl::Cleanup back = [] { in_output_callback = false; };
  try {
    callback(argument);
  } catch (const abi::__forced_unwind&) {
    throw;  // the thread ends itself there (pthread_exit): that cannot be held up
  } catch (const std::exception& error) {
    std::fprintf(stderr, "poold client: an output callback threw: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "poold client: an output callback threw something that is no std::exception\n");
  }
}

}  // namespace

void ReceivedBlock::Show(std::uint64_t bytes) {
  first_index = message.first_index();
  results = message.results();
  encoding = FromProto(message.encoding());
  type_name = message.type_name();
  result_bytes = message.result_bytes().data();
  has_others = cancelled || message.others_size() != 0;
  plain = !has_others && encoding == Encoding::kMsgpack && bytes <= results.size();
}

bool InOutputCallback() { return in_output_callback; }

absl::Status& WhyNoWait() {
  thread_local absl::Status why;
  return why;
}

void CallOutput(const OutputCallback& callback, const Output& output) { CallWhileReading(callback, output); }

void CallProgress(const ProgressCallback& callback, const Progress& progress) { CallWhileReading(callback, progress); }

OwnedMapCall::OwnedMapCall(const MapCall& call)
    : pool(call.pool),
      function(call.function),
      encoding(call.encoding),
      type_name(call.type_name),
      options(*call.options),
      streamed(call.streamed) {
  // It stays true on the wire that output is wanted.
  options.task.echo_output = options.task.streams_output();
  options.task.watch_progress = options.task.streams_progress();
  options.task.on_output = nullptr;
  options.task.on_progress = nullptr;
}

void Link(WaitNode** list, WaitNode* node) {
  node->next = *list;
  *list = node;
}

void Unlink(WaitNode** list, WaitNode* node) {
  for (WaitNode** at = list; *at != nullptr; at = &(*at)->next) {
    if (*at == node) {
      *at = node->next;
      return;
    }
  }
}

void WakeAll(WaitNode** list) {
  for (WaitNode* node = std::exchange(*list, nullptr); node != nullptr;) {
    WaitNode* next = node->next;
    node->waiter->remaining = 0;
    node->waiter->wake.Signal();
    node = next;
  }
}

void RefuseTransition(int from, int to) {
  std::fprintf(stderr, "poold client: a handle went from state %d to %d, which does not follow\n", from, to);
  std::abort();
}

void HandleState::Keep() {
  Claim claimed = Claim::kReleasedAtEnd;
  claim.compare_exchange_strong(claimed, Claim::kKept, std::memory_order_relaxed);
}

std::string HandleState::FunctionName() const {
  if (function != nullptr) return *function;
  if (detail && !detail->own_function.empty()) return detail->own_function;
  return (is_map ? "map " : "task ") + id.ToHex();
}

void TaskHandleState::Reset() {
  handles.store(1, std::memory_order_relaxed);
  phase.Restart(Phase::kWaiting);
  holder.Restart(Holder::kHandles);
  claim.store(Claim::kReleasedAtEnd, std::memory_order_relaxed);
  pool = nullptr;
  function = nullptr;
  type_name = nullptr;
  batch = 0;
}

OwnedResult CopyOf(const ResultView& result) {
  auto owner = std::make_shared<const std::string>(codec::CopyText(result.data));
  const std::string_view data = *owner;
  return {result.encoding, std::string(result.type_name), data, std::move(owner)};
}

bool EndedWell(const HandleState& cell) { return Succeeded(cell, cell.phase.published()); }

void Publish(HandleState* cell, Phase phase) {
  const bool succeeded = Succeeded(*cell, phase);
  cell->phase.Move(phase);
  for (WaitNode* node = std::exchange(cell->waiters, nullptr); node != nullptr;) {
    WaitNode* next = node->next;
    Tell(*node, succeeded);
    node = next;
  }
  if (!cell->is_map) return;
  WakeAll(&AsMap(cell)->block_waiters);
  WakeAll(&AsMap(cell)->window_waiters);
}

void EndWithOutcome(HandleState* cell, std::shared_ptr<const v1::Outcome> outcome) {
  cell->Detail().outcome = std::move(outcome);
  Publish(cell, Phase::kEnded);
}

void EndWithRefusal(HandleState* cell, absl::Status why, Phase end) {
  cell->Detail().refusal = std::move(why);
  Publish(cell, end);
}

void AddCancelled(MapHandleState* map) {
  const std::uint64_t items = std::max(map->progress.items, map->items_sent);
  for (const auto& [first, end] : map->received.GapsBelow(items)) InsertCancelled(map, first, end);
}

void AddBlock(MapHandleState* map, v1::ItemOutcomes&& outcomes, bool told) {
  if (outcomes.result_bytes_size() == 0) return;
  if (map->received.Overlaps(outcomes.first_index(), outcomes.result_bytes_size())) {
    InsertUnknown(map, outcomes, told);
  } else {
    Insert(map, std::move(outcomes), told);
  }
  WakeAll(&map->block_waiters);
}

}  // namespace poold::client::internal
