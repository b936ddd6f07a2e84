// What the core shows of itself: copies, taken under the mutex, as poold/v1/pool.proto and map.proto explain them.
#pragma once

#include <cstdint>
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
};

struct PoolView {
  PoolSpec spec;
  PoolState state = PoolState::kUnspecified;
  std::string failure;
  std::vector<std::string> functions;
  std::vector<WorkerView> workers;
  PoolStats stats;
};

struct TaskView {
  HandleId id;
  std::string pool;
  std::string function;
  TaskState state = TaskState::kUnspecified;
  OutcomePtr outcome;  // null until the state is terminal
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
};

using HandleView = std::variant<TaskView, MapView>;

}  // namespace poold::core
