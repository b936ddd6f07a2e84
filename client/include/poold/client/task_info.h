// TaskInfo, MapProgress and Explanation: tasks and maps as the daemon shows them. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "poold/client/duration.h"
#include "poold/client/handle_id.h"
#include "poold/client/options.h"
#include "poold/client/outcome.h"

namespace poold::client {

// A task with its state now.
struct TaskInfo {
  HandleId id = {};
  // The name of the pool.
  std::string pool = {};
  // The name of the function.
  std::string function = {};
  TaskState state = TaskState::kUnspecified;
  // Set when the state is an end. Lists and events bring it without result and output.
  std::optional<Outcome> outcome = {};
  // The latest report. Unset: the task reported nothing.
  std::optional<Progress> progress = {};
  // The name that the submitting client gave itself, or a number in hexadecimal where it gave none.
  std::string client = {};
  std::optional<WallTime> submitted_at = {};
  // Since when and where the task runs. Unset and 0: the task does not run.
  std::optional<WallTime> started_at = {};
  std::uint64_t worker_id = 0;
  // The attempt that runs or ran last, counted from 1; 0: none.
  std::uint32_t attempt = 0;
  // From -100 to 100; higher runs first.
  std::int32_t priority = 0;
  // The options that the task was submitted with. Unset: nothing but the defaults. `watch_progress` is set
  // where output or progress is sent to a client; callbacks, `id` and other options that do not travel are not set.
  std::optional<TaskOptions> options = {};
};

// Where a map stands.
struct MapProgress {
  HandleId id = {};
  // The name of the pool.
  std::string pool = {};
  // The name of the function.
  std::string function = {};
  // Items received so far.
  std::uint64_t items = 0;
  // No more items will come.
  bool complete = false;
  // Items whose outcome is recorded.
  std::uint64_t done_items = 0;
  // Items of `done_items` that did not succeed.
  std::uint64_t unsuccessful_items = 0;
  // Every item of a complete map is done, or the map was cancelled: then the rest is CANCELLED without an outcome of
  // its own, and done_items may be less than items.
  bool done = false;
  // As TaskInfo::client.
  std::string client = {};
  std::optional<WallTime> submitted_at = {};
  // From -100 to 100; higher runs first.
  std::int32_t priority = 0;
  // Items that run now.
  std::uint64_t running_items = 0;
  // As TaskInfo::options, of every item.
  std::optional<TaskOptions> options = {};
};

// A task or a map. std::monostate: something that a newer daemon knows.
// Example:
//   if (const auto* task = std::get_if<TaskInfo>(&entry)) std::puts(task->function.c_str());
using TaskEntry = std::variant<std::monostate, TaskInfo, MapProgress>;

// A question for a page of tasks and maps.
struct TaskQuery {
  // Empty: of all pools.
  std::string pool = {};
  // Empty: in any state. A map is kQueued, kRunning, or, when it is done, kSucceeded, kFailed (some item did not
  // succeed) or kCancelled.
  std::vector<TaskState> states = {};
  // Empty: any function.
  std::string function = {};
  // As TaskInfo::client. Empty: any client.
  std::string client = {};
  // At most 1000; 0: 100.
  std::uint32_t page_size = 0;
  // TaskPage::next_page_token of the page before; empty: the first page.
  std::string page_token = {};

  friend bool operator==(const TaskQuery&, const TaskQuery&) = default;
};

// A page of tasks and maps, in the order of their submission.
struct TaskPage {
  std::vector<TaskEntry> entries = {};
  // Empty: there are no more.
  std::string next_page_token = {};
};

// One run of a task that came to an end, or that runs.
struct Attempt {
  // Counted from 1.
  std::uint32_t number = 0;
  std::uint64_t worker_id = 0;
  // The worker's process.
  std::int64_t worker_pid = 0;
  // The start of the pool's prepared state that the worker was cloned from, counted from 1.
  std::uint32_t generation = 0;
  std::optional<WallTime> started_at = {};
  // Unset: the attempt runs.
  std::optional<WallTime> ended_at = {};
  // How the attempt ended; kRunning: the attempt runs.
  TaskState state = TaskState::kUnspecified;
  // One line: the failure, or the cause of the worker's end.
  std::string reason = {};

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

// Everything that is known of a handle.
struct Explanation {
  TaskEntry entry = {};
  // As TaskInfo::options.
  TaskOptions options = {};
  // The reason why it does not run or go on now, a sentence for people. Empty: it runs, or has ended.
  std::string waits_for = {};
  // Of a task that waits for a worker: tasks and items that come before it, as things stand.
  std::uint64_t ahead = 0;
  // Of a task: at most 16 attempts, the latest last.
  std::vector<Attempt> attempts = {};
};

// An item of a map and its end.
struct ItemOutcome {
  // The item's place among the arguments, from 0.
  std::uint64_t index = 0;
  Outcome outcome = {};

  friend bool operator==(const ItemOutcome&, const ItemOutcome&) = default;
};

}  // namespace poold::client
