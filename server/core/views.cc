// Copies of the state for those who ask.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {
namespace {

// As tools print a handle.
std::string Text(const HandleId& id) {
  return absl::StrCat(absl::Hex(id.high, absl::kZeroPad16), absl::Hex(id.low, absl::kZeroPad16));
}

}  // namespace

WorkerView Core::State::ViewOf(const Pool& pool, const Worker& worker) const {
  WorkerView view;
  view.id = worker.id;
  view.pid = worker.pid;
  view.generation = worker.generation;
  view.started_at = worker.started_at;
  view.tasks_done = worker.tasks_done;
  view.rss_bytes = worker.rss_bytes;
  view.state = !worker.ready()        ? WorkerState::kStarting
               : !worker.takes_work() ? WorkerState::kStopping
               : worker.sent.empty()  ? WorkerState::kIdle
                                      : WorkerState::kBusy;
  Node* const head = pool.sweep == Sweep::kAll ? nullptr : worker.sent.front();
  if (head != nullptr) {
    const Handle& handle = HandleOf(head);
    view.function = pool.functions[handle.group->function].name;
    view.running = handle.id;
  }
  return view;
}

FunctionView Core::State::ViewOf(const PoolFunction& function) const {
  FunctionView view;
  view.name = function.name;
  view.calls = function.calls;
  view.average_time = static_cast<Nanos>(function.average);
  view.deaths_in_a_row = function.deaths;
  // Never zero while it stands.
  if (function.breaker != nullptr && function.breaker->open)
    view.breaker_open_for = std::max<Nanos>(1, function.breaker->until - now);
  return view;
}

PoolView Core::State::ViewOf(const Pool& pool) const {
  PoolView view;
  view.spec = pool.spec;
  view.opened_at = pool.opened_at;
  view.shard = shard.count > 1 ? shard.index + 1 : 0;
  view.state = pool.state;
  view.failure = pool.failure;
  view.start_failure = StartFailureOf(pool);
  view.functions = pool.FunctionNames();
  for (const Worker* worker : pool.workers) view.workers.push_back(ViewOf(pool, *worker));
  view.stats = pool.stats;
  view.stats.kept_outcomes = pool.kept_counts.outcomes;
  view.stats.kept_outcome_bytes = pool.kept_counts.bytes;
  view.stats.dropped_outcomes = pool.kept_counts.dropped;
  CountSwept(pool, &view.stats);
  view.generation = pool.present->number;
  view.reloading = pool.next != nullptr;
  view.reload_failure = pool.reload_failure;
  for (const PoolFunction& function : pool.functions) {
    if (function.known) view.function_states.push_back(ViewOf(function));
  }
  return view;
}

TaskView Core::State::ViewOf(const Task& task) const {
  const Pool& pool = *task.group->pool;
  TaskView view;
  view.id = task.id;
  view.pool = pool.spec.name;
  view.function = pool.functions[task.group->function].name;
  view.state = task.state;
  view.outcome = OutcomeOf(task);
  if (task.extras != nullptr && task.extras->progress != nullptr) view.progress = *task.extras->progress;
  view.client = task.group->queue->client;
  view.submitted_at = task.group->submitted_at;
  view.attempt = task.attempt;
  view.priority = task.group->options->priority;
  view.options = task.group->options;
  if (task.worker == nullptr) return view;
  view.worker = task.worker->id;
  if (task.worker->sent.front() == &task) view.started_at = task.worker->progress_at;
  return view;
}

MapView Core::State::ViewOf(const MapRun& map) const {
  const Pool& pool = *map.group->pool;
  MapView view;
  view.id = map.id;
  view.pool = pool.spec.name;
  view.function = pool.functions[map.group->function].name;
  view.items = map.items;
  view.complete = map.complete;
  view.done_items = map.done_items;
  view.unsuccessful_items = map.unsuccessful_items;
  view.done = map.ended;
  view.client = map.group->queue->client;
  view.submitted_at = map.group->submitted_at;
  view.priority = map.group->options->priority;
  view.options = map.group->options;
  for (const Chunk* chunk : map.chunks) view.running_items += chunk->count - chunk->done;
  return view;
}

HandleView Core::State::ViewOf(const Handle& handle) const {
  if (handle.is_map()) return ViewOf(static_cast<const MapRun&>(handle));
  return ViewOf(static_cast<const Task&>(handle));
}

absl::StatusOr<Handle*> Core::State::FindHandle(const HandleId& id) {
  Handle* handle = handles.Find(id);
  if (handle != nullptr && Reach(*handle)) handle = handles.Find(id);
  if (handle != nullptr) return handle;
  if (handles.IsTombstone(id)) {
    return MakeError(reason::kHandleReleased, absl::StrCat("the outcome of handle ", Text(id), " was released"), "id");
  }
  return MakeError(reason::kHandleNotFound,
                   absl::StrCat("there is no handle ", Text(id),
                                "; it was never submitted here, its outcome expired, or the daemon restarted"),
                   "id");
}

absl::StatusOr<Payload> Core::State::ResultOf(const HandleId& id, std::uint64_t index) {
  absl::StatusOr<Handle*> handle = FindHandle(id);
  if (!handle.ok()) return handle.status();
  const absl::Status none = MakeError(absl::StatusCode::kFailedPrecondition, reason::kInvalidField,
                                      "there is no result: it has not ended, or not with success", "id");
  if (!(*handle)->is_map()) {
    const Task& task = *AsTask(*handle);
    if (task.state != TaskState::kSucceeded) return none;
    return OutcomeOf(task)->result;
  }
  const MapRun& map = *AsMap(*handle);
  auto at = map.blocks.upper_bound(index);
  if (at == map.blocks.begin()) return none;
  const ItemBlockPtr& block = std::prev(at)->second.block;
  const std::uint64_t place = index - block->first_index;
  if (place >= block->result_bytes.size()) return none;
  for (const auto& [other, outcome] : block->others) {
    if (other != index) continue;
    if (outcome->state != TaskState::kSucceeded) return none;
    return outcome->result;
  }
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < place; ++i) offset += block->result_bytes[i];
  return Payload{block->encoding, block->type_name,
                 Bytes(block, std::string_view(block->results).substr(offset, block->result_bytes[place]))};
}

}  // namespace poold::core
