// WatchEvent: something that happened in a pool, or to a handle. A plain value.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "poold/client/duration.h"
#include "poold/client/outcome.h"
#include "poold/client/pool_info.h"
#include "poold/client/task_info.h"

namespace poold::client {

// Bytes of output that were dropped, because the reader was too slow.
struct DroppedOutput {
  std::uint64_t bytes = 0;

  friend bool operator==(const DroppedOutput&, const DroppedOutput&) = default;
};

// So much waited for this reader that all of it was dropped. The states as they are now follow: forget what was told
// before. A task that is not among them has ended; ListTasks, Get or Explain tell how.
struct WatchResync {
  // Events that were dropped since the event before.
  std::uint64_t lost_events = 0;

  friend bool operator==(const WatchResync&, const WatchResync&) = default;
};

// One event.
// Example:
//   pool.Watch([](const WatchEvent& event) {
//     if (const auto* task = std::get_if<TaskInfo>(&event.what)) Print(task->id.ToHex(), ToString(task->state));
//     return true;
//   });
struct WatchEvent {
  std::optional<WallTime> time = {};
  // A task or map that changed (without its result), text that a task wrote, the pool or one of its workers that
  // changed, a report of progress, or a gap in what was told. std::monostate: an event that a newer daemon knows.
  std::variant<std::monostate, TaskInfo, MapProgress, Output, PoolInfo, DroppedOutput, Progress, WatchResync> what = {};
};

// Takes one event of a Watch. Returns false to end the Watch.
using WatchCallback = std::function<bool(const WatchEvent&)>;

// The handles or the pool of a Watch.
struct WatchQuery {
  std::vector<HandleId> ids = {};
  // The pool's name; empty: the handles.
  std::string pool = {};
  // With what the tasks print.
  bool output = false;

  friend bool operator==(const WatchQuery&, const WatchQuery&) = default;
};

}  // namespace poold::client
