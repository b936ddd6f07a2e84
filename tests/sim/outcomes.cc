// Why tasks and items ended as they did: every outcome has a cause that the simulator has seen.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {
namespace {

bool Retries(const TaskOptions& options, TaskState state) {
  return (options.retry_on >> static_cast<unsigned>(state) & 1) != 0;
}

}  // namespace

void World::CheckWhy(const KnownHandle& handle, std::size_t index, const Outcome& outcome) {
  const KnownItem& item = handle.items[index];
  const std::string name = Ledger::TextOf(handle, index);
  if (outcome.attempt > handle.options.max_attempts) ledger_.Wrong("an attempt above max_attempts");
  const std::string type = outcome.detail != nullptr && outcome.detail->failure ? outcome.detail->failure->type : "";
  switch (outcome.state) {
    case TaskState::kSucceeded:
      if (item.succeeded == 0) ledger_.Wrong(name + " succeeded, and no run of it did");
      break;
    case TaskState::kFailed:
      if (type == "poold.UnknownFunction") return;
      if (item.failed == 0) ledger_.Wrong(name + " failed, and no run of it did");
      break;
    case TaskState::kCrashed:
      CheckDeath(handle, index, outcome);
      break;
    case TaskState::kTimedOut:
    case TaskState::kExpired:
      return CheckTimes(handle, index, outcome);
    default: {
      const Pool* pool = FindPool(handle.pool_id);  // null: it ended long ago
      const bool ended = pool == nullptr || (pool->state != PoolState::kRunning && pool->state != PoolState::kStarting);
      if (!handle.cancelled && !ended) ledger_.Wrong(name + " was cancelled, and nobody asked");
      return;
    }
  }
  CheckNotTooEarly(handle, index, outcome);
}

// Who ends CRASHED was alone with its worker when that died: who only sat beside the guilty one does not.
void World::CheckDeath(const KnownHandle& handle, std::size_t index, const Outcome& outcome) {
  const KnownItem& item = handle.items[index];
  const std::string name = Ledger::TextOf(handle, index);
  if (item.died == 0) ledger_.Wrong(name + " crashed, and no worker died under it");
  if (outcome.detail == nullptr || !outcome.detail->death) return ledger_.Wrong(name + " has no death certificate");
  if (outcome.detail->poison && item.died < 3) ledger_.Wrong(name + " is called poison after fewer than three deaths");
  const DeathCertificate& death = *outcome.detail->death;
  const auto worker = ledger_.workers.find(death.worker);
  if (worker == ledger_.workers.end()) return ledger_.Wrong(name + " died with a worker that there never was");
  if ((death.killed_by == KilledBy::kMemoryLimit) != worker->second.over_limit) {
    ledger_.Wrong(name + " does not say rightly whether its worker was killed for its memory");
  }
}

void World::CheckTimes(const KnownHandle& handle, std::size_t index, const Outcome& outcome) {
  const KnownItem& item = handle.items[index];
  const TaskOptions& options = handle.options;
  const std::string name = Ledger::TextOf(handle, index);
  const bool total = options.total_timeout != kNever;
  if (outcome.state == TaskState::kExpired) {
    if (!total && options.queue_timeout == kNever) ledger_.Wrong(name + " expired, and has no time limit");
    if (item.executions > 0) ledger_.Wrong(name + " expired after it had begun");
    return;
  }
  if (!total && options.run_timeout == kNever) ledger_.Wrong(name + " timed out, and has no time limit");
  if (!total && item.page_less_since != 0 && now_ - item.page_less_since < options.run_timeout) {
    ledger_.Wrong(name + " timed out before its time");
  }
}

// Nobody gives up while an attempt is left.
void World::CheckNotTooEarly(const KnownHandle& handle, std::size_t index, const Outcome& outcome) {
  const TaskOptions& options = handle.options;
  if (outcome.state == TaskState::kSucceeded || outcome.attempt >= options.max_attempts) return;
  if (!Retries(options, outcome.state) || handle.items[index].died >= 3) return;
  if (handle.cancelled || handle.fail_fast || options.total_timeout != kNever) return;
  const auto pool = ledger_.pools.find(handle.pool_id);
  if (pool != ledger_.pools.end() && pool->second.spec.death_policy == DeathPolicy::kStrict) return;
  if (pool != ledger_.pools.end() && pool->second.cancel_asked) return;  // what ran then is not tried again
  ledger_.Wrong(Ledger::TextOf(handle, index) + " was given up after attempt " + std::to_string(outcome.attempt) +
                " of " + std::to_string(options.max_attempts));
}

}  // namespace poold::core::sim
