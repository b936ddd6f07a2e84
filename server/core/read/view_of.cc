#include "core/read/view_of.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace poold::core {
namespace {

constexpr std::size_t kMostReason = 240;

std::string OneLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.size() <= kMostReason) return std::string(text);
  std::size_t end = kMostReason;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // between two characters
  return std::string(text.substr(0, end)) + "...";
}

std::string_view Blamed(KilledBy killed_by) {
  switch (killed_by) {
    case KilledBy::kTimeLimit:
      return "because its time was over";
    case KilledBy::kCancel:
      return "because it was cancelled";
    case KilledBy::kTerminate:
      return "because its pool was terminated";
    case KilledBy::kOutsider:
      return "sent by somebody else";
    case KilledBy::kMemoryLimit:
      return "because it went above the pool's memory limit";
    case KilledBy::kKernel:
      return "by the kernel: out of memory, or a resource limit";
    default:
      return "by a fault of its own";
  }
}

// As all of the pool's handles are said to have ended: see unfinished.cc.
void CountSwept(const Pool& pool, PoolStats* stats) {
  if (pool.sweep < Sweep::kUnbegun) return;
  stats->cancelled += std::exchange(stats->queued, 0);
  stats->queued_bytes = 0;
  if (pool.sweep == Sweep::kAll) stats->cancelled += std::exchange(stats->running, 0);
}

OutcomePtr WithoutBytes(const OutcomePtr& outcome) {
  const OutcomeDetail* detail = outcome->detail.get();
  const bool tails = detail != nullptr && !(detail->stdout_tail.empty() && detail->stderr_tail.empty());
  if (outcome->result.data.empty() && !tails) return outcome;
  auto slim = std::make_shared<Outcome>();
  slim->state = outcome->state;
  slim->attempt = outcome->attempt;
  slim->submitted_at = outcome->submitted_at;
  slim->started_at = outcome->started_at;
  slim->ended_at = outcome->ended_at;
  if (detail == nullptr) return slim;
  slim->detail = std::make_unique<OutcomeDetail>();
  slim->detail->failure = detail->failure;
  slim->detail->death = detail->death;
  slim->detail->poison = detail->poison;
  return slim;
}

bool Matches(const TaskFilter& filter, const Group& group) {
  const Pool& pool = *group.pool;
  if (!filter.pool.empty() && pool.spec.name != filter.pool) return false;
  if (!filter.function.empty() && pool.functions[group.function].name != filter.function) return false;
  if (filter.clients.empty()) return true;
  for (const ClientId client : filter.clients) {
    if (client == group.queue->client) return true;
  }
  return false;
}

}  // namespace

WorkerView ViewOf(const Pool& pool, const Worker& worker) {
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

FunctionView ViewOf(const PoolFunction& function, Nanos now) {
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

PoolView ViewOf(const Pool& pool, const ShardInfo& shard, Nanos now) {
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
  CountSwept(pool, &view.stats);
  view.stats.kept_outcomes = pool.kept_counts.outcomes;
  view.stats.kept_outcome_bytes = pool.kept_counts.bytes;
  view.stats.dropped_outcomes = pool.kept_counts.dropped;
  view.generation = pool.present->number;
  view.reloading = pool.next != nullptr;
  view.reload_failure = pool.reload_failure;
  for (const PoolFunction& function : pool.functions) {
    if (function.known) view.function_states.push_back(ViewOf(function, now));
  }
  return view;
}

TaskView ViewOf(const Task& task) {
  const Pool& pool = *task.group->pool;
  TaskView view;
  view.id = task.id;
  view.pool = pool.spec.name;
  view.function = pool.functions[task.group->function].name;
  view.state = task.state();
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

MapView ViewOf(const MapRun& map) {
  const Pool& pool = *map.group->pool;
  MapView view;
  view.id = map.id;
  view.pool = pool.spec.name;
  view.function = pool.functions[map.group->function].name;
  view.items = map.items.arrived();
  view.complete = map.complete;
  view.done_items = map.items.done();
  view.unsuccessful_items = map.items.unsuccessful();
  view.done = map.ended();
  view.client = map.group->queue->client;
  view.submitted_at = map.group->submitted_at;
  view.priority = map.group->options->priority;
  view.options = map.group->options;
  for (const Chunk* chunk : map.chunks) view.running_items += chunk->count - chunk->done;
  return view;
}

HandleView ViewOf(const Handle& handle) {
  if (handle.is_map()) return ViewOf(AsMap(handle));
  return ViewOf(AsTask(handle));
}

absl::StatusOr<Payload> ResultOf(const Handle& handle, std::uint64_t index) {
  const absl::Status none = MakeError(absl::StatusCode::kFailedPrecondition, reason::kInvalidField,
                                      "there is no result: it has not ended, or not with success", "id");
  if (!handle.is_map()) {
    const Task& task = AsTask(handle);
    if (task.state() != TaskState::kSucceeded) return none;
    return OutcomeOf(task)->result;
  }
  const MapRun& map = AsMap(handle);
  const ItemBlockPtr block = map.outcomes.Find(index);
  if (block == nullptr) return none;
  const std::uint64_t place = index - block->first_index;
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

WatchEvent EventOf(const Handle& handle) {
  if (handle.is_map()) return ViewOf(AsMap(handle));
  return ViewOf(AsTask(handle));
}

OutcomePtr OutcomeOf(const Task& task) { return task.plain() ? SuccessOf(task).ToOutcome() : task.outcome; }

CompactSuccess SuccessOf(const Task& task) {
  return {task.result_encoding, task.body, task.group->submitted_at, task.sent_at, task.ended_at};
}

bool Succeeded(const Handle& handle) {
  if (!handle.is_map()) return AsTask(handle).state() == TaskState::kSucceeded;
  const MapRun& map = AsMap(handle);
  return map.items.unsuccessful() == 0 && map.items.cancelled() == 0 && !map.cut();
}

std::string ReasonOf(const Failure* failure, const DeathCertificate* death) {
  if (death != nullptr) {
    if (death->signal == 0) return absl::StrCat("its worker exited with code ", death->exit_code);
    const std::string_view blamed = Blamed(death->killed_by);
    return absl::StrCat("its worker ended with signal ", death->signal, ", ",
                        absl::string_view(blamed.data(), blamed.size()));
  }
  if (failure == nullptr) return "";
  return OneLine(failure->message.empty() ? failure->type : failure->type + ": " + failure->message);
}

std::vector<AttemptView> AttemptsOf(const Task& task) {
  std::vector<AttemptView> attempts;
  if (task.extras != nullptr) attempts = task.extras->attempts;
  const WorkerMark::Facts* facts = task.ran_on.get();
  if (facts == nullptr) return attempts;
  AttemptView last{task.attempt, facts->id, facts->pid, facts->generation};
  if (task.ended()) {
    const OutcomePtr outcome = OutcomeOf(task);
    const OutcomeDetail* detail = outcome->detail.get();
    last.started_at = outcome->started_at;
    last.ended_at = outcome->ended_at;
    last.state = task.state();
    if (detail != nullptr) {
      last.reason = ReasonOf(detail->failure ? &*detail->failure : nullptr, detail->death ? &*detail->death : nullptr);
    }
  } else {
    if (task.worker == nullptr || task.worker->sent.front() != &task) return attempts;  // sent ahead, not begun
    last.started_at = task.worker->progress_at;
    last.state = TaskState::kRunning;
  }
  if (attempts.size() >= kMostAttempts) attempts.erase(attempts.begin());
  attempts.push_back(std::move(last));
  return attempts;
}

absl::StatusOr<Payload> ArgumentsOf(const Handle& handle, std::uint64_t index) {
  const char* why = "it succeeded, and the arguments are kept only of what did not";
  if (!handle.is_map()) {
    const Task& task = AsTask(handle);
    if (!task.ended() || task.args_kept) return ArgumentsOf(task);
    if (task.state() != TaskState::kSucceeded) why = "when it ended there was no room for them";
    return MakeError(reason::kArgumentsNotKept, absl::StrCat("the arguments of the task are no longer kept: ", why),
                     "id");
  }
  const MapRun& map = AsMap(handle);
  if (const Bytes* kept = map.outcomes.FindArguments(index)) return Payload{map.encoding, map.type_name, *kept};
  if (index >= map.items.arrived()) {
    return MakeError(reason::kArgumentsNotKept,
                     absl::StrCat("the map has no item ", index, "; it has ", map.items.arrived(), " so far"), "index");
  }
  if (!map.ended() && !map.outcomes.IsDone(index)) {
    const ItemSlice slice = map.items.Slices(index, 1).front();
    return Payload{map.encoding, map.type_name, Bytes(slice.column, slice.data)};
  }
  return MakeError(reason::kArgumentsNotKept,
                   absl::StrCat("the arguments of item ", index,
                                " are no longer kept: it succeeded, was cancelled with its map, or its outcome was "
                                "consumed"),
                   "index");
}

// Of what new workers come from; else of what is to take over.
std::string StartFailureOf(const Pool& pool) {
  const Generation& generation =
      pool.present->tries.failure().empty() && pool.next != nullptr ? *pool.next : *pool.present;
  if (generation.tries.failure().empty() || !pool.dispatches()) return "";
  switch (generation.tries.cause()) {
    case LossCause::kResources:
      return absl::StrCat(generation.tries.failure(), " (a shortage, and no fault of the pool)");
    case LossCause::kOutsider:
      return absl::StrCat(generation.tries.failure(), " (by somebody else, and no fault of the pool)");
    case LossCause::kItself:
      break;
  }
  return generation.tries.failure();
}

TaskState StateOf(const Handle& handle) {
  if (!handle.is_map()) return AsTask(handle).state();
  const MapRun& map = AsMap(handle);
  if (!map.ended()) return map.chunks.empty() ? TaskState::kQueued : TaskState::kRunning;
  const bool ended_by_failure = map.fail_fast && map.items.unsuccessful() > 0;
  if ((map.cut() || map.items.cancelled() > 0) && !ended_by_failure) return TaskState::kCancelled;
  return map.items.unsuccessful() > 0 ? TaskState::kFailed : TaskState::kSucceeded;
}

TaskPage ListHandles(const HandleList& handles, const TaskFilter& filter, std::uint64_t from, std::size_t most) {
  TaskPage page;
  std::uint32_t looked_at = 0;
  const Group* group = nullptr;  // of the one before: neighbours often share it
  bool matches = false;
  page.next = handles.Walk(from, [&](const Handle& handle) {
    if (page.entries.size() >= most || ++looked_at > kMostListed) return false;
    if (handle.group != group) {
      group = handle.group;
      matches = Matches(filter, *group);
    }
    if (!matches) return true;
    if (filter.states != 0 && (filter.states >> static_cast<unsigned>(StateOf(handle)) & 1) == 0) return true;
    page.entries.push_back(ViewOf(handle));
    auto* task = std::get_if<TaskView>(&page.entries.back());
    if (task != nullptr && task->outcome != nullptr) task->outcome = WithoutBytes(task->outcome);
    return true;
  });
  return page;
}

void ForEachUnfinished(const Pool& pool, absl::FunctionRef<void(const Handle&)> visit) {
  for (const MapRun* map : pool.maps) visit(*map);
  for (const Worker* worker : pool.workers) {
    for (Node* node = worker->sent.front(); node != nullptr; node = worker->sent.After(node)) {
      if (node->kind == NodeKind::kTask) visit(*AsTask(node));
    }
  }
  for (const ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
    ready->ForEach([&](Node* node) {
      if (node->kind == NodeKind::kTask) visit(*AsTask(node));
    });
  }
  for (const PoolFunction& function : pool.functions) {
    if (function.breaker == nullptr) continue;
    for (const auto& [key, line] : function.breaker->lines) {
      for (Node* node = line.waiting.front(); node != nullptr; node = line.waiting.After(node)) {
        if (node->kind == NodeKind::kTask) visit(*AsTask(node));
      }
    }
  }
  for (Node* node = pool.delayed.front(); node != nullptr; node = pool.delayed.After(node)) visit(*AsTask(node));
}

}  // namespace poold::core
