// Tasks that wait for tasks.
//
// The rule: a wait of a task is refused when it could not end by itself. What is waited for can end when it runs on a
// worker that does not wait in vain, or when its pool has, or will have, a worker that does not. So a task may not wait
// for itself, not for what only its own pool could run when all workers of that wait so, and not in a circle over
// several pools. Only the wait that closes the circle is refused; the others go on when its task has ended.
//
// Limits: what a wait with a time limit would do when that is over is not considered; waits for more than kMostLooked
// handles are never refused; neither are those over pools of several shards. A pool that loses workers to a resize
// later is not looked at again.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/state.h"
#include "wire/absl_text.h"

namespace poold::core {
namespace {

constexpr std::size_t kMostLooked = 256;

// What has to happen for a handle to end: its worker goes on, or (without one) its pool has a worker for it.
struct Need {
  const Pool* pool = nullptr;
  const Worker* runner = nullptr;
  friend bool operator==(const Need&, const Need&) = default;
};

Need NeedOf(const Handle& handle) {
  Need need{handle.group->pool.get(), nullptr};
  if (handle.is_map()) return need;
  const Worker* worker = static_cast<const Task&>(handle).worker;
  if (worker != nullptr && worker->sent.front() == &handle) need.runner = worker;
  return need;
}

// One worker's wait, made short: of what has not ended.
struct Waiting {
  const Worker* worker = nullptr;
  bool for_all = false;
  bool unknown = false;  // too much to look at
  std::vector<Need> needs;
};

Waiting Shorten(const Wait& wait, const Worker* worker) {
  Waiting waiting{worker, wait.kind == Wait::Kind::kGet || wait.mode == WaitMode::kAllCompleted, false, {}};
  if (wait.left > kMostLooked) waiting.unknown = true;
  for (const Wait::Entry& entry : wait.entries) {
    if (entry.handle == nullptr || entry.done || waiting.unknown) continue;
    const Need need = NeedOf(*entry.handle);
    if (std::find(waiting.needs.begin(), waiting.needs.end(), need) == waiting.needs.end()) {
      waiting.needs.push_back(need);
    }
  }
  return waiting;
}

// Those that wait in vain, if all waits are to be believed.
class Stuck {
 public:
  explicit Stuck(std::vector<Waiting> waits) : waits_(std::move(waits)) {
    for (const Waiting& waiting : waits_) Add(waiting.worker);
    for (bool changed = true; changed;) {
      changed = false;
      for (const Waiting& waiting : waits_) changed |= CanEnd(waiting) && Drop(waiting.worker);
    }
  }
  bool Holds(const Worker* worker) const { return workers_.contains(worker); }

 private:
  void Add(const Worker* worker) {
    if (workers_.insert(worker).second) ++in_pool_[worker->pool.get()];
  }
  bool Drop(const Worker* worker) {
    if (workers_.erase(worker) == 0) return false;
    --in_pool_[worker->pool.get()];
    return true;
  }
  bool CanEnd(const Need& need) const {
    if (!need.pool->dispatches()) return true;  // it is ended
    if (need.runner != nullptr) return !Holds(need.runner);
    const auto stuck = in_pool_.find(need.pool);
    return stuck == in_pool_.end() || stuck->second < need.pool->spec.workers;
  }
  bool CanEnd(const Waiting& waiting) const {
    const auto can = [this](const Need& need) { return CanEnd(need); };
    return waiting.unknown || (waiting.for_all ? std::all_of(waiting.needs.begin(), waiting.needs.end(), can)
                                               : std::any_of(waiting.needs.begin(), waiting.needs.end(), can));
  }

  const std::vector<Waiting> waits_;
  absl::flat_hash_set<const Worker*> workers_;
  absl::flat_hash_map<const Pool*, std::uint64_t> in_pool_;
};

}  // namespace

// The task that asked runs still.
bool Core::State::WaitsStill(const Wait& wait) const {
  const Worker* worker = FindWorker(wait.from);
  return worker != nullptr && worker->sent.front() != nullptr && TokenOf(worker->sent.front()) == wait.from_attempt;
}

bool Core::State::WouldDeadlock(const Wait& wait) const {
  std::vector<Waiting> waits;
  for (const Wait* one : task_waits) {
    if (WaitsStill(*one)) waits.push_back(Shorten(*one, FindWorker(one->from)));
  }
  return Stuck(std::move(waits)).Holds(FindWorker(wait.from));
}

std::uint64_t Core::State::WaitingWorkers(const Pool& pool) const {
  absl::flat_hash_set<WorkerId> waiting;
  for (const Wait* wait : task_waits) {
    if (WaitsStill(*wait) && FindWorker(wait->from)->pool.get() == &pool) waiting.insert(wait->from);
  }
  return waiting.size();
}

void Core::State::NoteTaskWaits(Wait* wait, WorkerId from) {
  const Worker* worker = from == WorkerId{} ? nullptr : FindWorker(from);
  if (worker == nullptr || worker->sent.front() == nullptr) return;
  wait->from = from;
  wait->from_attempt = TokenOf(worker->sent.front());
  task_waits.push_back(wait);
  if (!WouldDeadlock(*wait)) return;
  const std::string& pool = worker->pool->spec.name;
  const absl::Status refusal = MakeError(
      absl::StatusCode::kFailedPrecondition, "WOULD_DEADLOCK",
      absl::StrCat("a task of pool '", pool,
                   "' would wait for ever: no worker is left that could run what it waits for, since all that could (",
                   worker->pool->spec.workers,
                   " in its own pool) wait like it; give the pool more workers than tasks "
                   "that wait, submit to another pool, or return and let the client go on"),
      pool);
  const SubscriberId call = wait->call;
  const bool get = wait->kind == Wait::Kind::kGet;
  RemoveWait(wait);
  if (get) {
    client_port->AnswerGet(call, refusal);
  } else {
    client_port->AnswerWait(call, refusal);
  }
}

}  // namespace poold::core
