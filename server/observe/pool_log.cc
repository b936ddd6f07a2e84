#include "observe/pool_log.h"

#include <utility>

#include "base/log.h"

namespace poold::observe {
namespace {

using base::Level;
using core::PoolState;

bool Moves(PoolState state) {
  return state == PoolState::kStarting || state == PoolState::kClosing || state == PoolState::kTerminating;
}

void LogEnd(std::string_view event, const core::PoolView& pool) {
  base::Log(Level::kInfo, event,
            {{"pool", pool.spec.name},
             {"succeeded", pool.stats.succeeded},
             {"failed", pool.stats.failed},
             {"crashed", pool.stats.crashed},
             {"cancelled", pool.stats.cancelled},
             {"workers_lost", pool.stats.workers_lost}});
}

void LogState(const core::PoolView& pool) {
  switch (pool.state) {
    case PoolState::kRunning:
      return base::Log(
          Level::kInfo, "pool_running",
          {{"pool", pool.spec.name}, {"workers", pool.spec.workers}, {"functions", pool.functions.size()}});
    case PoolState::kFailed:
      return base::Log(Level::kError, "pool_failed", {{"pool", pool.spec.name}, {"why", pool.failure}});
    case PoolState::kClosed:
      return LogEnd("pool_closed", pool);
    case PoolState::kTerminated:
      return LogEnd("pool_terminated", pool);
    case PoolState::kStarting:
      return base::Log(Level::kInfo, "pool_starting", {{"pool", pool.spec.name}, {"workers", pool.spec.workers}});
    case PoolState::kClosing:
      return base::Log(Level::kInfo, "pool_closing", {{"pool", pool.spec.name}});
    case PoolState::kTerminating:
      return base::Log(Level::kInfo, "pool_terminating", {{"pool", pool.spec.name}});
    case PoolState::kUnspecified:
      return;
  }
}

// Workers are missing, and are tried again; or they are not any more.
void LogStarts(const core::PoolView& pool) {
  const bool ended = pool.state != PoolState::kRunning && pool.state != PoolState::kClosing;
  if (pool.start_failure.empty() && ended) return;
  if (pool.start_failure.empty()) return base::Log(Level::kInfo, "pool_starts_again", {{"pool", pool.spec.name}});
  base::Log(Level::kWarning, "pool_start_failed",
            {{"pool", pool.spec.name}, {"workers", pool.spec.workers}, {"why", pool.start_failure}});
}

}  // namespace

void PoolLog::Look(const std::vector<core::PoolView>& pools) {
  std::map<std::string, Seen> now;
  anything_moves_ = false;
  for (const core::PoolView& pool : pools) {
    const Seen& before = seen_[pool.spec.name];
    const bool starts_fail = !pool.start_failure.empty();
    if (pool.state != before.state) LogState(pool);
    if (starts_fail != before.starts_fail) LogStarts(pool);
    now[pool.spec.name] = {pool.state, starts_fail};
    anything_moves_ |= Moves(pool.state);
  }
  seen_ = std::move(now);
}

}  // namespace poold::observe
