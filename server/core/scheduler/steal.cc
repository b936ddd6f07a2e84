// Work that was sent ahead comes back: for an idle worker, for something more urgent, or from behind something long.
#include <algorithm>
#include <limits>

#include "core/scheduler/scheduler.h"

namespace poold::core {
namespace {

// Whether any worker may have something that it has not begun.
bool SomethingAhead(const Pool& pool) { return pool.chunks_sent > 0 || pool.sent > pool.busy; }

}  // namespace

bool Scheduler::TakeBackTask(Task& task) {
  if (task.life != TaskLife::kSent) return false;
  const std::uint32_t came = port_->TakeBack(task.worker->id, AttemptToken{task.token}, 0);
  if (came == 0 && !faults_.requeue_begun) return false;
  steps_.Spend(1);
  Unsend(task);
  task.ran_on = {};
  --task.attempt;
  ++task.group->pool->stats.retracted;
  Queue(task, /*in_front=*/true);
  TellOf(task);
  return true;
}

// May end the chunk: then it is gone.
std::uint32_t Scheduler::TakeBackItems(Chunk& chunk, std::uint32_t keep) {
  MapRun& map = *chunk.map;
  Pool& pool = *map.group->pool;
  const std::uint32_t came = port_->TakeBack(chunk.worker->id, AttemptToken{chunk.token}, keep);
  const std::uint32_t taken = std::min(came, chunk.count - chunk.done);
  if (taken == 0) return 0;
  steps_.Spend(1);
  chunk.count -= taken;
  chunk.worker->load -= Nanos{chunk.estimate} * taken;
  pool.index.Touch(*chunk.worker);
  pool.stats.running -= taken;
  pool.stats.retracted += taken;
  const ItemRange range{chunk.begin + chunk.count, chunk.begin + chunk.count + taken};
  ItemsWait(map, range);
  map.items.GiveBack(range, chunk.attempt - 1);
  QueueMap(map, /*in_front=*/true);
  if (chunk.count == chunk.done) Unsend(chunk);
  return taken;
}

// The most loaded one that has work to take; null if there is none.
Worker* Scheduler::ChooseVictim(Pool& pool) {
  pool.steal_at = pool.index.NextVictimAt(now_);
  return pool.index.Victim(now_);
}

// An idle worker gets half of what the most loaded one has not begun.
void Scheduler::Steal(Pool& pool) {
  if (now_ < pool.steal_at) return;
  for (std::size_t tries = pool.idle.size(); tries > 0 && !pool.idle.empty() && pool.ready.empty(); --tries) {
    if (!steps_.any()) return;
    const std::uint64_t left = steps_.left();
    if (!pool.has_slot() || !pool.dispatches()) return;
    Worker* victim = ChooseVictim(pool);
    if (victim == nullptr || !TakeHalf(*victim)) return;
    steps_.Restore(left);
    Dispatch(pool);
  }
}

// From its end, because it begins at the front. False: it has begun all that could be taken, or what comes next there
// has no room for its outcome and would only wait elsewhere.
bool Scheduler::TakeHalf(Worker& victim) {
  bool taken = false;
  for (std::size_t most = victim.sent.size() / 2; most > 0; --most) {
    Node* last = victim.sent.back();
    if (!HasRoom(HandleOf(last))) return taken;
    if (last->kind == NodeKind::kChunk) {
      const std::uint32_t had = AsChunk(last)->count;
      const std::uint32_t came = TakeBackItems(*AsChunk(last), 0);
      if (came < had) return taken || came > 0;
    } else if (!TakeBackTask(*AsTask(last))) {
      return taken;
    }
    taken = true;
  }
  Node* head = victim.sent.front();
  if (taken || head->kind != NodeKind::kChunk || !HasRoom(HandleOf(head))) return taken;
  Chunk& chunk = *AsChunk(head);
  return TakeBackItems(chunk, (chunk.count - chunk.done - 1) / 2) > 0;
}

// A task that it runs does not count: it is not to be had.
void Scheduler::NoteLowest(Pool& pool, Worker& worker) {
  worker.lowest = std::numeric_limits<int>::max();
  for (Node* node = worker.sent.front(); node != nullptr; node = worker.sent.After(node)) {
    if (node == worker.sent.front() && node->kind == NodeKind::kTask) continue;
    worker.lowest = std::min(worker.lowest, PriorityOf(node));
  }
  pool.index.Touch(worker);
}

// The front of the queue is more urgent than what workers hold ahead. True: something came back.
bool Scheduler::MakeWayForPriority(Pool& pool) {
  const int priority = pool.ready.NextPriority();
  if (priority <= pool.way_made || !pool.ready.LowerInFlight(priority)) return false;
  const WorkerId behind = pool.way_priority == priority ? pool.way_worker : WorkerId{};
  pool.way_priority = priority;
  pool.way_worker = behind;
  bool taken = false;
  const bool some_ahead = SomethingAhead(pool);
  for (Worker* worker : some_ahead ? pool.index.HoldersBelow(priority, now_) : std::vector<Worker*>()) {
    if (worker->id <= behind) continue;
    if (!steps_.any()) return taken;
    steps_.Spend(worker->sent.size());
    pool.way_worker = worker->id;
    for (Node* node = worker->sent.back(); node != nullptr;) {
      Node* before = worker->sent.Before(node);
      const bool is_task = node->kind == NodeKind::kTask;
      if (PriorityOf(node) < priority && (!is_task || before != nullptr)) {
        taken |= is_task ? TakeBackTask(*AsTask(node)) : TakeBackItems(*AsChunk(node), 0) > 0;
      }
      node = before;
    }
    NoteLowest(pool, *worker);
  }
  pool.way_worker = WorkerId{};
  pool.way_made = priority;  // what could not be taken has begun, and will not come back
  return taken;
}

void Scheduler::TakeBackUnbegun(Worker& worker) {
  Node* head = worker.sent.front();
  if (head != nullptr && TakeBackBehind(worker, head) && head->kind == NodeKind::kChunk) {
    TakeBackItems(*AsChunk(head), 0);
  }
}

bool Scheduler::KillUnder(Worker& worker, const Node* running, KilledBy why) {
  if (!TakeBackBehind(worker, running)) return false;
  if (worker.sent.front() != running) return false;
  listener_->RunIsToEnd(worker, why);
  return true;
}

void Scheduler::TakeBackHeldCalls(Pool& pool) {
  auto at = std::upper_bound(pool.workers.begin(), pool.workers.end(), pool.recalled,
                             [](WorkerId id, const Worker* worker) { return id < worker->id; });
  for (; at != pool.workers.end(); ++at) {
    if (!steps_.any()) return;
    Worker* const worker = *at;
    steps_.Spend(1 + worker->sent.size());
    pool.recalled = worker->id;
    if (!worker->uses_page || worker->killed_by != KilledBy::kUnspecified) continue;
    for (Node* node = worker->sent.back(); node != nullptr;) {
      Node* before = worker->sent.Before(node);
      const CircuitBreaker* breaker = CircuitBreakers::Of(HandleOf(node));
      if (breaker != nullptr && AttemptToken{breaker->probe} != TokenOf(node)) {
        if (node->kind == NodeKind::kTask) {
          TakeBackTask(*AsTask(node));
        } else {
          TakeBackItems(*AsChunk(node), 0);
        }
      }
      node = before;
    }
  }
  pool.recalls = false;
}

bool Scheduler::TakeBackBehind(Worker& worker, const Node* except) {
  for (Node* node = worker.sent.back(); node != nullptr && node != except;) {
    Node* before = worker.sent.Before(node);
    if (node->kind == NodeKind::kTask) {
      if (!TakeBackTask(*AsTask(node))) return false;
    } else {
      const std::uint32_t had = AsChunk(node)->count;
      if (TakeBackItems(*AsChunk(node), 0) < had) return false;
    }
    node = before;
  }
  return true;
}

void Scheduler::WatchWaiting(Pool& pool) {
  if (pool.watchful_timer != kNoTimer || pool.workers.size() < 2) return;
  if (!SomethingAhead(pool)) return;
  timers_->Set(&pool.watchful_timer, now_ + kPatience, TimerKind::kPoolWatchful, &pool);
}

void Scheduler::TakeBackWaiting(Pool& pool) {
  for (Worker* worker : pool.index.Waiting(now_ - kPatience, now_)) {
    Node* head = worker->sent.front();
    const Nanos waited = now_ - worker->progress_at;
    const bool is_chunk = head->kind == NodeKind::kChunk && !pool.RunsAlone(*AsChunk(head)->map);
    if (worker->sent.size() > 1) TakeBackBehind(*worker, head);
    if (is_chunk && worker->sent.front() == head && waited >= Nanos{8} * AsChunk(head)->estimate &&
        AsChunk(head)->count - AsChunk(head)->done > 1) {
      TakeBackItems(*AsChunk(head), 0);
    }
  }
}

}  // namespace poold::core
