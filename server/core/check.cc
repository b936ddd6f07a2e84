// What must hold between two events.
#include "core/state.h"

namespace poold::core {
namespace {

std::string CheckWorker(const Worker& worker) {
  const bool dies = worker.life == WorkerLife::kKilled || worker.life == WorkerLife::kStartingKilled;
  if (dies != (worker.killed_by != KilledBy::kUnspecified)) return "a worker is killed, and nobody knows why";
  return worker.life == WorkerLife::kLost ? "a worker is listed that is lost" : "";
}

std::string CheckPool(const Pool& pool) {
  for (const std::string& wrong : {pool.owners.Check(), pool.present->tries.Check()}) {
    if (!wrong.empty()) return wrong;
  }
  if ((pool.reload != ReloadLife::kNone) != (pool.next != nullptr)) return "a reload has no next generation";
  const bool replaces = pool.next != nullptr && pool.stale_below == pool.next->first;
  if ((pool.reload == ReloadLife::kReplacing) != replaces) return "it is not known which workers are stale";
  for (const Worker* worker : pool.workers) {
    if (std::string wrong = CheckWorker(*worker); !wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

std::string Core::State::CheckRooms() const {
  for (const std::string& wrong : {subscribers.Check(), waits.Check(), watches.Check(), outcomes.Check()}) {
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [id, pool] : pools) {
    for (const std::string& wrong : {CheckPool(*pool), scheduler.Check(*pool)}) {
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

}  // namespace poold::core
