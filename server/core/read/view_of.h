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
// As watchers hear of it.
WatchEvent EventOf(const Handle& handle);

// Of a map: what it is as a whole.
TaskState StateOf(const Handle& handle);
// REQUIRES: it has ended.
bool Succeeded(const Handle& handle);
// Null: it has not ended.
OutcomePtr OutcomeOf(const Task& task);
// REQUIRES: it has ended in plain success.
CompactSuccess SuccessOf(const Task& task);
// A line for people: why an attempt failed. Null: it did not fail that way.
std::string ReasonOf(const Failure* failure, const DeathCertificate* death);
// The latest ones, at most kMostAttempts: those before it and, if it runs or ended on a worker, the present one.
inline constexpr std::size_t kMostAttempts = 16;
std::vector<AttemptView> AttemptsOf(const Task& task);
// As Core::ViewResult and Core::ViewArguments.
absl::StatusOr<Payload> ResultOf(const Handle& handle, std::uint64_t index);
absl::StatusOr<Payload> ArgumentsOf(const Handle& handle, std::uint64_t index);
// Why what starts for the pool fails; empty: it does not, or nothing starts any more.
std::string StartFailureOf(const Pool& pool);

// The mutex is held while a page is made, so a page ends after so many, whether they match or not.
inline constexpr std::uint32_t kMostListed = 8192;
// As Core::ViewTasks.
TaskPage ListHandles(const HandleList& handles, const TaskFilter& filter, std::uint64_t from, std::size_t most);
// Visits everything of the pool that runs or waits: maps, then tasks.
void ForEachUnfinished(const Pool& pool, absl::FunctionRef<void(const Handle&)> visit);

}  // namespace poold::core
