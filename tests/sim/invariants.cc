// What must hold after every event.
#include "absl/strings/str_cat.h"
#include "world.h"

namespace poold::core::sim {

void World::Check() {
  ++events_;
  trace_.Note("next timer " + std::to_string(core_.NextTimer()));
  if (const std::string wrong = peer_.CheckRooms(); !wrong.empty()) ledger_.Wrong(wrong);
  if (ledger_.wrong.empty()) CheckHandles();
  if (ledger_.wrong.empty()) CheckTaskBytes();
  if (ledger_.wrong.empty()) CheckRoom();
  if (ledger_.wrong.empty()) CheckOwners();
  if (ledger_.wrong.empty()) CheckWorkers();
  if (ledger_.wrong.empty()) CheckTurns();
  if (ledger_.wrong.empty()) CheckBreakers();
  if (ledger_.wrong.empty()) CheckClock();
  CheckSteps();
}

// An event looks at a slice of what there is any number of. Beside that it looks at what one worker has, and takes it
// back, or at the workers of one pool.
void World::CheckSteps() {
  std::uint64_t workers = 0;
  peer_.ForEachPool([&](const Pool& pool) { workers = std::max<std::uint64_t>(workers, pool.workers.size()); });
  most_workers_ = std::max(most_workers_, workers);
  const std::uint64_t most = limits_.slice + 2 * limits_.max_prefetch + 1 + most_workers_;
  if (peer_.most_steps() > most) {
    ledger_.Wrong(absl::StrCat("an event made ", peer_.most_steps(), " steps, more than ", most));
  }
}

// One terminal state, which never changes. Looks at every handle that can still be named.
void World::CheckHandles() {
  std::vector<const KnownHandle*> gone;
  for (auto& [id, known] : ledger_.handles) {
    if (known.released) continue;
    const Handle* handle = peer_.Find(id);
    if (handle == nullptr) {
      NoteGone(known);
      gone.push_back(&known);
      continue;
    }
    if (known.is_map) CheckOrphan(known, *static_cast<const MapRun*>(handle));
    if (known.ended && !handle->ended()) ledger_.Wrong("a handle that had ended lives again");
    if (!handle->ended()) continue;
    known.ended_at = peer_.EndedAt(*handle);
    if (known.is_map) {
      known.ended = true;
    } else {
      NoteState(known, static_cast<const Task*>(handle)->state());
    }
  }
  CheckGoing(gone);
  if (peer_.tombstones() > limits_.remembered_ids) ledger_.Wrong("more ids are remembered than may be");
}

void World::CheckTaskBytes() {
  std::uint64_t unfinished = 0;
  peer_.ForEachPool([&](const Pool& pool) { unfinished += pool.unfinished; });
  const std::uint64_t counted = core_.memory().task_bytes;
  if (counted < unfinished * kTaskBytes || counted > unfinished * (kTaskBytes + kGroupBytes + kIdBlockBytes)) {
    ledger_.Wrong("what tasks take is miscounted");
  }
  // The last one that is taken may go over it.
  if (unfinished > limits_.max_task_bytes / kTaskBytes + 1) {
    ledger_.Wrong("tasks take more memory than they may");
  }
}

void World::CheckWorkers() {
  std::uint64_t live = 0;
  peer_.ForEachPool([&live](const Pool& pool) { live += pool.live(); });
  if (live != peer_.live_pools()) ledger_.Wrong("the count of pools that live is wrong");
  peer_.ForEachPool([this](const Pool& pool) {
    CheckPool(pool);
    CheckStaff(pool);
    CheckWhyEnded(pool, ledger_.pools.at(pool.id));
  });
}

void World::CheckPool(const Pool& pool) {
  std::uint64_t sent = 0;
  const bool could =
      pool.dispatches() && pool.functions_known && pool.has_slot() && !pool.cancels() && !pool.sends_more;
  for (const Worker* worker : pool.workers) {
    sent += worker->sent.size();
    if (worker->load < 0) ledger_.Wrong("a worker's load is below zero");
    if (WorkToTakeAt(*worker) < pool.steal_at) ledger_.Wrong("nobody would look for work that can be taken");
    if (!could || !worker->idle()) continue;
    if (!pool.ready.empty() || (!pool.ready_fresh.empty() && worker->dispatches == 0)) {
      ledger_.Wrong("a worker of pool " + pool.spec.name + " is idle while a task could run on it");
    }
  }
  CheckWayMade(pool);
  if (const std::string wrong = pool.index.Check(pool.workers, now_); !wrong.empty()) ledger_.Wrong(wrong);
  if (sent != pool.sent) ledger_.Wrong("the count of what workers have is wrong");
  if (pool.stats.queued > (1ull << 40) || pool.stats.running > (1ull << 40) || pool.stats.queued_bytes > (1ull << 40)) {
    ledger_.Wrong("a count of pool " + pool.spec.name + " fell below zero");
  }
  CheckSweep(pool);
  if (pool.runs_only && pool.stats.queued > 0 && !pool.cancels()) {
    ledger_.Wrong("something waits in pool " + pool.spec.name + ", which was to run only what had begun");
  }
  const bool over = pool.state == PoolState::kClosed || pool.state == PoolState::kTerminated;
  if (over && (!pool.workers.empty() || pool.unfinished > 0)) ledger_.Wrong("something is left of a pool that is over");
}

// What is unfinished looks as if it were over, is over soon, and nothing of it is over too early.
void World::CheckSweep(const Pool& pool) {
  if (pool.has_more() && !pool.is_unfinished) ledger_.Wrong("a pool is unfinished, and is not listed");
  if (pool.is_unfinished && core_.NextTimer() > now_)
    ledger_.Wrong("a pool is unfinished, and nobody is to come for it");
  if (pool.sweep == Sweep::kNone) return;
  const bool over = pool.state == PoolState::kClosed || pool.state == PoolState::kTerminated;
  if (over) ledger_.Wrong("a pool is over, and unfinished");
  if (!pool.cancels() || FindPool(pool.spec.name) != &pool) return;
  const absl::StatusOr<PoolView> view = core_.ViewPool(pool.spec.name);
  if (view->stats.queued > 0) ledger_.Wrong("something waits in a pool that cancels what waits");
  if (pool.sweep == Sweep::kAll && view->stats.running > 0) ledger_.Wrong("something runs in a pool that was ended");
  if (events_ % 8 != 0) return;  // who looks at a handle ends it
  for (const auto& [id, known] : ledger_.handles) {
    if (known.released || known.is_map || known.pool_id != pool.id || peer_.Find(id) == nullptr) continue;
    if (peer_.Find(id)->ended()) continue;
    const absl::StatusOr<HandleView> seen = core_.ViewHandle(id);
    const TaskState state = seen.ok() ? std::get<TaskView>(*seen).state : TaskState::kCancelled;
    const bool begun = pool.sweep == Sweep::kUnbegun && state == TaskState::kRunning;
    if (!begun && state != TaskState::kCancelled)
      ledger_.Wrong(Ledger::TextOf(known, 0) + " is not said to be cancelled");
    return;
  }
}

// Nothing that could come back has a lower priority than the pool says it has made way for.
void World::CheckWayMade(const Pool& pool) {
  for (const Worker* worker : pool.workers) {
    if (!HoldsAhead(*worker)) continue;
    const testing::FakeWorker& process = processes_.workers.at(worker->id);
    for (const Node* node = worker->sent.front(); node != nullptr; node = worker->sent.After(node)) {
      if (HandleOf(node).group->options->priority >= pool.way_made) continue;
      const bool task = node->kind == NodeKind::kTask;
      if (task && (node == worker->sent.front() || static_cast<const Task*>(node)->life != TaskLife::kSent)) {
        continue;
      }
      for (const testing::FakeWork& work : process.work) {
        if (work.what.token == TokenOf(node) && work.limit > work.claimed) {
          ledger_.Wrong("work lies ahead that should have made way");
        }
      }
    }
  }
}

// Nobody who waits is passed over while others have more turns than there are clients.
void World::CheckTurns() {
  std::map<Turn, std::uint64_t> waiting;
  peer_.ForEachPool([&](const Pool& pool) {
    for (const ReadyQueue* ready : {&pool.ready, &pool.ready_fresh}) {
      ready->ForEach([&](Node* node) {
        const Group& group = *static_cast<Handle*>(node)->group;
        if (group.queue->held_up) return;
        const CircuitBreaker* breaker = pool.functions[group.function].breaker.get();
        if (breaker != nullptr && breaker->open) return;  // it waits for that, not for its turn
        ++waiting[{pool.id, group.options->priority, ready == &pool.ready_fresh, group.queue->client}];
      });
    }
  });
  std::erase_if(passed_over_, [&](const auto& turn) { return !waiting.contains(turn.first); });
  for (const auto& [turn, count] : waiting) {
    const bool waited = passed_over_.contains(turn);  // since before this event
    std::uint64_t& passed = passed_over_[turn];
    if (served_now_.contains(turn)) passed = 0;
    for (const auto& [other, served] : served_now_) {
      const bool rival = other.pool == turn.pool && other.priority == turn.priority && other.fresh == turn.fresh &&
                         other.client != turn.client;
      if (waited && rival && !served_now_.contains(turn)) passed += served;
    }
    if (passed > 2 * clients_.size() + 2) {
      ledger_.Wrong("client " + std::to_string(static_cast<std::uint64_t>(turn.client)) + " was passed over " +
                    std::to_string(passed) + " times");
    }
  }
  served_now_.clear();
}

void World::CheckClock() {
  if (core_.NextTimer() <= now_) return;  // due, but not told yet
  for (const auto& [call, known] : ledger_.calls) {
    if (known.due < now_) return ledger_.Wrong("a call was not answered at its time, and no timer is set for it");
    if (IsOver(known)) return ledger_.Wrong("a wait is over, and was not answered");
  }
}

}  // namespace poold::core::sim
