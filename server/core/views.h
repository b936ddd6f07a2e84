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

// A worker process now.
struct WorkerView {
  WorkerId id{};
  // 0 until the worker is ready.
  std::int64_t pid = 0;
  WorkerState state = WorkerState::kUnspecified;
  // Number of the zygote that the worker came from, from 1.
  std::uint32_t generation = 0;
  // When the worker was asked for.
  Nanos started_at = 0;
  // Tasks and items that came back from it.
  std::uint64_t tasks_done = 0;
  // Name of the function of the task or chunk that is first in its list; empty: the list is empty.
  std::string function;
  // The handle of that task or chunk; all zero: none.
  HandleId running;
  // Resident memory when it was last measured; 0: not measured, since the pool has no limit for it.
  std::uint64_t rss_bytes = 0;
};

// What the pool knows of one of its functions.
struct FunctionView {
  std::string name;
  // Calls that came back.
  std::uint64_t calls = 0;
  // Of one call, of late; 0: not measured.
  Nanos average_time = 0;
  // Workers that died under it since a call last came back, as far as CircuitBreakers counts them.
  std::uint32_t deaths_in_a_row = 0;
  // How much longer the circuit breaker is open, at least 1 while it is; 0: it is closed.
  Nanos breaker_open_for = 0;
};

// Counters of one pool since it was opened. Tasks and items of maps count alike. Whoever owns a number changes it: the
// scheduler `queued`, `queued_bytes`, `running`, `retracted`; Submissions `submitted`; the courses and Endings what
// ended; Staffing what concerns workers and reloads.
struct PoolStats {
  // Tasks and items that wait, those that wait for a time or a retry among them, and the bytes of their arguments.
  std::uint64_t queued = 0;
  // Tasks and items that are with workers.
  std::uint64_t running = 0;
  std::uint64_t queued_bytes = 0;
  // All that were accepted.
  std::uint64_t submitted = 0;
  // How those that ended did so.
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t crashed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t expired = 0;
  std::uint64_t cancelled = 0;
  // Attempts after a first one.
  std::uint64_t retried = 0;
  // Results of attempts that were decided otherwise or are not known any more.
  std::uint64_t dropped_results = 0;
  // Workers that were asked for, and those of them that ended in whatever way.
  std::uint64_t workers_started = 0;
  std::uint64_t workers_lost = 0;
  // Tasks and items that came back from a worker before they began.
  std::uint64_t retracted = 0;
  // Outcomes that nobody has released, and their bytes. Filled in for a view: KeptCounts.
  std::uint64_t kept_outcomes = 0;
  std::uint64_t kept_outcome_bytes = 0;
  // Workers that were replaced for one of max_tasks_per_worker, max_worker_rss_bytes and max_worker_age.
  std::uint64_t recycled = 0;
  // Reloads that took over, and those that were rolled back.
  std::uint64_t reloads = 0;
  std::uint64_t rollbacks = 0;
  // Handles whose outcomes had to make way. Filled in for a view: KeptCounts.
  std::uint64_t dropped_outcomes = 0;
};

// A pool as it stands.
struct PoolView {
  PoolSpec spec;
  // When OnOpenPool made it.
  Nanos opened_at = 0;
  // The place of its core among the cores of the daemon, counted from 1; 0: there is only one.
  std::uint32_t shard = 0;
  PoolState state = PoolState::kUnspecified;
  // Why the pool is kFailed; else empty.
  std::string failure;
  // Why workers that are missing did not start the last time; they are tried again. Empty: nothing failed since one
  // became ready.
  std::string start_failure;
  // Names of the functions that its workers have; empty until the first of them was ready.
  std::vector<std::string> functions;
  // In the order of their starts, those that are ending among them.
  std::vector<WorkerView> workers;
  PoolStats stats;
  // Number of the zygote that new workers come from; a reload that took over and a zygote that was replaced raise it.
  std::uint32_t generation = 0;
  // A reload is under way.
  bool reloading = false;
  // Why the latest reload was rolled back; empty after one that took over.
  std::string reload_failure;
  // One for each of `functions`.
  std::vector<FunctionView> function_states;
};

// The latest that a running task or item said of how far it is.
struct ProgressView {
  // Of a map: the item that says so; of a task 0.
  std::uint64_t index = 0;
  // Done, from 0 to 1; -1: it cannot tell.
  double fraction = -1;
  // One line for people, at most 1 KiB.
  std::string text;
};

// A task as it stands.
struct TaskView {
  HandleId id;
  std::string pool;
  std::string function;
  TaskState state = TaskState::kUnspecified;
  // Null until `state` is terminal.
  OutcomePtr outcome;
  // The latest that it reported; of a task that ended: the last one.
  std::optional<ProgressView> progress;
  // Submitted it.
  ClientId client{};
  Nanos submitted_at = 0;
  // When the attempt that runs now began; 0: none runs, or it has not begun.
  Nanos started_at = 0;
  // The worker that has it; zero: none.
  WorkerId worker{};
  // The attempt that was sent last, from 1; 0: none was.
  std::uint32_t attempt = 0;
  int priority = 0;
  // The options that it was submitted with. Not null.
  std::shared_ptr<const TaskOptions> options;
};

// A map as it stands.
struct MapView {
  HandleId id;
  std::string pool;
  std::string function;
  // Items that have arrived. More may come while neither `complete` nor `done`.
  std::uint64_t items = 0;
  // The client said that no more items come.
  bool complete = false;
  // Items that have an outcome, and how many of those did not succeed.
  std::uint64_t done_items = 0;
  std::uint64_t unsuccessful_items = 0;
  // The map has ended. With done_items < items the rest was cancelled, without outcomes of its own.
  bool done = false;
  ClientId client{};
  Nanos submitted_at = 0;
  int priority = 0;
  // Items that are with workers and have no outcome yet.
  std::uint64_t running_items = 0;
  // As in TaskView.
  std::shared_ptr<const TaskOptions> options;
};

using HandleView = std::variant<TaskView, MapView>;

// Which handles ViewTasks shows: those that pass every test.
struct TaskFilter {
  // Name of the pool; empty: any.
  std::string pool;
  // A bit (1 << TaskState) for each state that passes; 0: any. Of a map the state is StateOf (read/view_of.h).
  std::uint32_t states = 0;
  // Name of the function; empty: any.
  std::string function;
  // The clients that may have submitted it; empty: any.
  std::vector<ClientId> clients;
};

// A page of a list of handles.
struct TaskPage {
  // In the order of submission; outcomes are shown without results and output.
  std::vector<HandleView> entries;
  // `from` of the next page; 0: this is the last one.
  std::uint64_t next = 0;
};

// What a client keeps of the room for outcomes, and what it may keep: outcome/outcome_room.h.
struct ClientView {
  ClientId id{};
  // Of its latest session or call.
  ClientOrigin origin;
  // The client has a session.
  bool present = false;
  // What ClientPort::RoomIsShort told it last.
  bool room_is_short = false;
  // Some of its work is not sent to workers until it releases outcomes.
  bool held_up = false;
  // Of the outcomes that are kept for it.
  std::uint64_t kept_bytes = 0;
  // What a client that is present may keep whatever others do; the same for all.
  std::uint64_t floor_bytes = 0;
  // The part of the room that all share above their floors, and what of it is used.
  std::uint64_t common_bytes = 0;
  std::uint64_t common_used = 0;
};

// One attempt of a task that a worker began.
struct AttemptView {
  // From 1.
  std::uint32_t number = 0;
  WorkerId worker{};
  std::int64_t pid = 0;
  std::uint32_t generation = 0;
  Nanos started_at = 0;
  // 0: the attempt runs.
  Nanos ended_at = 0;
  // How it ended; kRunning while it runs.
  TaskState state = TaskState::kUnspecified;
  // Why it failed, in one line for people; empty: it did not fail.
  std::string reason;
};

// Answers why a handle is where it is.
struct Explanation {
  HandleView handle;
  std::shared_ptr<const TaskOptions> options;
  // A sentence for people: what it waits for; empty: it runs or has ended.
  std::string waits_for;
  // Handles in its queue that come before it, as far as that is known.
  std::uint64_t ahead = 0;
  // Of a task: the latest ones, at most kMostAttempts, oldest first. Of a map: none.
  std::vector<AttemptView> attempts;
};

}  // namespace poold::core
