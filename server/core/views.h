// What the core shows of itself: copies, taken under the mutex, as poold/v1/pool.proto and map.proto explain them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/types.h"

namespace poold::core {

struct WorkerView {
  WorkerId id{};
  std::int64_t pid = 0;
  WorkerState state = WorkerState::kUnspecified;
  std::uint32_t generation = 0;
  Nanos started_at = 0;
  std::uint64_t tasks_done = 0;
  std::string function;
  HandleId running;  // all zero: nothing
  std::uint64_t rss_bytes = 0;
};

struct FunctionView {
  std::string name;
  std::uint64_t calls = 0;
  Nanos average_time = 0;
  std::uint32_t deaths_in_a_row = 0;
  Nanos breaker_open_for = 0;
};

struct PoolStats {
  std::uint64_t queued = 0;
  std::uint64_t running = 0;
  std::uint64_t queued_bytes = 0;
  std::uint64_t submitted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t crashed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t expired = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t retried = 0;
  std::uint64_t dropped_results = 0;
  std::uint64_t workers_started = 0;
  std::uint64_t workers_lost = 0;
  std::uint64_t retracted = 0;
  std::uint64_t kept_outcomes = 0;
  std::uint64_t kept_outcome_bytes = 0;
  std::uint64_t recycled = 0;
  std::uint64_t reloads = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t dropped_outcomes = 0;
};

struct PoolView {
  PoolSpec spec;
  Nanos opened_at = 0;
  std::uint32_t shard = 0;  // counted from 1; 0 where there is only one core
  PoolState state = PoolState::kUnspecified;
  std::string failure;
  std::string start_failure;  // of workers that are missing, and are tried again
  std::vector<std::string> functions;
  std::vector<WorkerView> workers;
  PoolStats stats;
  std::uint32_t generation = 0;
  bool reloading = false;
  std::string reload_failure;
  std::vector<FunctionView> function_states;
};

struct ProgressView {
  std::uint64_t index = 0;
  double fraction = -1;
  std::string text;
};

struct TaskView {
  HandleId id;
  std::string pool;
  std::string function;
  TaskState state = TaskState::kUnspecified;
  OutcomePtr outcome;  // null until the state is terminal
  std::optional<ProgressView> progress;
  ClientId client{};
  Nanos submitted_at = 0;
  Nanos started_at = 0;  // 0: it does not run
  WorkerId worker{};
  std::uint32_t attempt = 0;
  int priority = 0;
  std::shared_ptr<const TaskOptions> options;  // that were asked of it; null: the defaults
};

struct MapView {
  HandleId id;
  std::string pool;
  std::string function;
  std::uint64_t items = 0;
  bool complete = false;
  std::uint64_t done_items = 0;
  std::uint64_t unsuccessful_items = 0;
  bool done = false;
  ClientId client{};
  Nanos submitted_at = 0;
  int priority = 0;
  std::uint64_t running_items = 0;
  std::shared_ptr<const TaskOptions> options;  // as in TaskView
};

using HandleView = std::variant<TaskView, MapView>;

// Which handles ViewTasks shows.
struct TaskFilter {
  std::string pool;               // empty: of all
  std::uint32_t states = 0;       // a bit (1 << TaskState) for each; 0: any
  std::string function;           // empty: any
  std::vector<ClientId> clients;  // of one of these; empty: of any
};

struct TaskPage {
  std::vector<HandleView> entries;  // without results and output
  std::uint64_t next = 0;           // to continue with; 0: there are no more
};

// What a client keeps of the room for outcomes, and what it may keep: outcome/outcome_room.h.
struct ClientView {
  ClientId id{};
  ClientOrigin origin;
  bool present = false;
  bool room_is_short = false;     // as it was told
  bool held_up = false;           // nothing more of it is sent to workers until it releases outcomes
  std::uint64_t kept_bytes = 0;   // of its outcomes
  std::uint64_t floor_bytes = 0;  // that it may keep whatever others do
  std::uint64_t common_bytes = 0;
  std::uint64_t common_used = 0;
};

struct AttemptView {
  std::uint32_t number = 0;
  WorkerId worker{};
  std::int64_t pid = 0;
  std::uint32_t generation = 0;
  Nanos started_at = 0;
  Nanos ended_at = 0;  // 0: it runs
  TaskState state = TaskState::kUnspecified;
  std::string reason;
};

struct Explanation {
  HandleView handle;
  std::shared_ptr<const TaskOptions> options;
  std::string waits_for;
  std::uint64_t ahead = 0;
  std::vector<AttemptView> attempts;
};

}  // namespace poold::core
