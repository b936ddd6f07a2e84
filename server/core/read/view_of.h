// Copies of the state, for those who ask.
//
// Role: functions over data that they do not change. Non-role: says nothing of why something waits: read/explain.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "core/core.h"
#include "core/handles.h"
#include "core/pool.h"
#include "core/task/handle_list.h"
#include "core/views.h"

namespace poold::core {

TaskView ViewOf(const Task& task);
MapView ViewOf(const MapRun& map);
HandleView ViewOf(const Handle& handle);
WorkerView ViewOf(const Pool& pool, const Worker& worker);
FunctionView ViewOf(const PoolFunction& function, Nanos now);
PoolView ViewOf(const Pool& pool, const ShardInfo& shard, Nanos now);
// The view of the handle, as watchers get it.
WatchEvent EventOf(const Handle& handle);

// The state that clients see. A map is QUEUED while no worker has items of it, and in the end FAILED with one item that
// did not succeed, CANCELLED where it was cut or items were cancelled.
TaskState StateOf(const Handle& handle);
// Whether the task, or every item of the map, succeeded. REQUIRES: it has ended.
bool Succeeded(const Handle& handle);
// A compact success gets an Outcome. Null: the task has not ended.
OutcomePtr OutcomeOf(const Task& task);
// REQUIRES: the task has ended in a compact success.
CompactSuccess SuccessOf(const Task& task);
// One line for people: why an attempt failed. Empty: both are null.
std::string ReasonOf(const Failure* failure, const DeathCertificate* death);
// The latest attempts of the task, at most kMostAttempts, oldest first; the one that runs, or that the task ended with,
// is the last.
inline constexpr std::size_t kMostAttempts = 16;
std::vector<AttemptView> AttemptsOf(const Task& task);
// As Core::ViewResult and Core::ViewArguments. `index`: of a map.
absl::StatusOr<Payload> ResultOf(const Handle& handle, std::uint64_t index);
absl::StatusOr<Payload> ArgumentsOf(const Handle& handle, std::uint64_t index);
// Why processes that start for the pool fail; empty: none fails, or the pool starts nothing any more.
std::string StartFailureOf(const Pool& pool);

// Handles that one page looks at, whether they match or not: the mutex is held meanwhile.
inline constexpr std::uint32_t kMostListed = 8192;
// As Core::ViewTasks.
TaskPage ListHandles(const HandleList& handles, const TaskFilter& filter, std::uint64_t from, std::size_t most);
// Visits every handle of the pool that runs or waits: maps, then tasks. Takes as long as there are many.
void ForEachUnfinished(const Pool& pool, absl::FunctionRef<void(const Handle&)> visit);

}  // namespace poold::core
