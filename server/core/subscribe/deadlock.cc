#include "core/subscribe/deadlock.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace poold::core {
namespace {

// The workers that wait in vain: all that wait, less those with a wait that can end, until no more of these are found.
class Stuck {
 public:
  explicit Stuck(const std::vector<WaitingWorker>& waits) {
    for (const WaitingWorker& wait : waits) Add(wait);
    for (bool changed = true; changed;) {
      changed = false;
      for (const WaitingWorker& wait : waits) changed |= CanEnd(wait) && Drop(wait);
    }
  }
  bool Holds(WorkerId worker) const { return workers_.contains(worker); }

 private:
  void Add(const WaitingWorker& wait) {
    if (workers_.insert(wait.worker).second) ++in_pool_[wait.pool];
  }
  bool Drop(const WaitingWorker& wait) {
    if (workers_.erase(wait.worker) == 0) return false;
    --in_pool_[wait.pool];
    return true;
  }
  bool CanEnd(const Need& need) const {
    if (need.needs_no_worker) return true;
    if (need.runner != WorkerId{}) return !Holds(need.runner);
    const auto stuck = in_pool_.find(need.pool);
    return stuck == in_pool_.end() || stuck->second < need.pool_workers;
  }
  bool CanEnd(const WaitingWorker& wait) const {
    const auto can = [this](const Need& need) { return CanEnd(need); };
    return wait.unknown || (wait.for_all ? std::all_of(wait.needs.begin(), wait.needs.end(), can)
                                         : std::any_of(wait.needs.begin(), wait.needs.end(), can));
  }

  absl::flat_hash_set<WorkerId> workers_;
  absl::flat_hash_map<PoolId, std::uint64_t> in_pool_;
};

}  // namespace

void WaitingWorker::Add(const Need& need) {
  if (std::find(needs.begin(), needs.end(), need) == needs.end()) needs.push_back(need);
}

bool WaitsInVain(const std::vector<WaitingWorker>& waits, WorkerId worker) { return Stuck(waits).Holds(worker); }

}  // namespace poold::core
