#include "core/scheduler/worker_index.h"

#include <algorithm>
#include <utility>

#include "core/pool.h"
#include "core/scheduler/ahead.h"

namespace poold::core {

void WorkerIndex::List(Worker& worker) {
  if ((worker.touched & kLoads) == 0) touched_loads_.push_back(&worker);
  if ((worker.touched & kAhead) == 0) touched_ahead_.push_back(&worker);
  worker.touched = kBoth;
}

// Who goes was mostly touched just now.
void WorkerIndex::Unlist(std::vector<Worker*>& touched, Worker& worker) {
  *std::find(touched.rbegin(), touched.rend(), &worker) = touched.back();
  touched.pop_back();
}

void WorkerIndex::Remove(Worker& worker) {
  if ((worker.touched & kLoads) != 0) Unlist(touched_loads_, worker);
  if ((worker.touched & kAhead) != 0) Unlist(touched_ahead_, worker);
  worker.touched = 0;
  for (WorkerOrder* order : {&staying_, &leaving_, &ripe_, &unripe_, &holders_, &waiting_}) order->TakeOut(worker);
}

Worker* WorkerIndex::LeastLoaded(Nanos now, bool staying_only) {
  SettleLoads();
  Worker* const stays = FirstMoving(staying_, now);
  Worker* const leaves = staying_only || leaving_.empty() ? nullptr : FirstMoving(leaving_, now);
  if (stays == nullptr || leaves == nullptr) return stays != nullptr ? stays : leaves;
  if (stays->load != leaves->load) return stays->load < leaves->load ? stays : leaves;
  return stays->id < leaves->id ? stays : leaves;
}

Worker* WorkerIndex::Victim(Nanos now) {
  SettleAhead(now);
  Ripen(now);
  return ripe_.First();
}

Nanos WorkerIndex::NextVictimAt(Nanos now) {
  SettleAhead(now);
  Ripen(now);
  if (!ripe_.empty()) return 0;
  return unripe_.empty() ? kNever : unripe_.FirstNumber();
}

std::vector<Worker*> WorkerIndex::HoldersBelow(int priority, Nanos now) {
  SettleAhead(now);
  return holders_.Below(priority);
}

std::vector<Worker*> WorkerIndex::Waiting(Nanos since, Nanos now) {
  SettleAhead(now);
  return waiting_.Below(since + 1);
}

void WorkerIndex::SettleLoads() {
  for (Worker* worker : touched_loads_) {
    worker->touched &= kAhead;
    const bool more = TakesMore(*worker, max_prefetch_);
    const bool leaves = more && worker->pool->Leaving(*worker);
    more && !leaves ? staying_.Put(*worker, worker->load) : staying_.TakeOut(*worker);
    leaves ? leaving_.Put(*worker, worker->load) : leaving_.TakeOut(*worker);
  }
  touched_loads_.clear();
}

void WorkerIndex::SettleAhead(Nanos now) {
  for (Worker* worker : touched_ahead_) {
    worker->touched &= kLoads;
    const Nanos at = WorkToTakeAt(*worker);
    at <= now ? ripe_.Put(*worker, -worker->load) : ripe_.TakeOut(*worker);
    at > now&& at != kNever ? unripe_.Put(*worker, at) : unripe_.TakeOut(*worker);
    HoldsAhead(*worker) ? holders_.Put(*worker, worker->lowest) : holders_.TakeOut(*worker);
    HoldsWaiting(*worker) ? waiting_.Put(*worker, worker->progress_at) : waiting_.TakeOut(*worker);
  }
  touched_ahead_.clear();
}

Worker* WorkerIndex::FirstMoving(WorkerOrder& order, Nanos now) {
  while (Worker* first = order.First()) {
    if (now - first->progress_at < kPatience) return first;
    order.TakeOut(*first);
  }
  return nullptr;
}

void WorkerIndex::Ripen(Nanos now) {
  while (!unripe_.empty() && unripe_.FirstNumber() <= now) {
    Worker& worker = *unripe_.First();
    unripe_.TakeOut(worker);
    ripe_.Put(worker, -worker.load);
  }
}

std::string WorkerIndex::Check(const std::vector<Worker*>& workers, Nanos now) const {
  for (const WorkerOrder* order : {&staying_, &leaving_, &ripe_, &unripe_, &holders_, &waiting_}) {
    if (!order->Check()) return "an order of workers is no order";
  }
  std::size_t entries = 0;
  std::size_t loads = 0;
  std::size_t ahead = 0;
  for (const Worker* worker : workers) {
    for (const std::uint32_t place : worker->places) entries += place != Worker::kNoPlace;
    loads += (worker->touched & kLoads) != 0;
    ahead += (worker->touched & kAhead) != 0;
    if (!IsInPlace(*worker, now)) return "a worker is not where what it has to do puts it";
  }
  if (loads != touched_loads_.size() || ahead != touched_ahead_.size()) return "a worker was touched that is not there";
  if (entries !=
      staying_.size() + leaving_.size() + ripe_.size() + unripe_.size() + holders_.size() + waiting_.size()) {
    return "a worker is in an order that is not there";
  }
  return "";
}

bool WorkerIndex::IsInPlace(const Worker& worker, Nanos now) const {
  return ((worker.touched & kLoads) != 0 || LoadIsInPlace(worker, now)) &&
         ((worker.touched & kAhead) != 0 || AheadIsInPlace(worker, now));
}

bool WorkerIndex::LoadIsInPlace(const Worker& worker, Nanos now) const {
  const bool leaves = worker.pool->Leaving(worker);
  const WorkerOrder& its = leaves ? leaving_ : staying_;
  if ((leaves ? staying_ : leaving_).Holds(worker)) return false;
  const bool more = TakesMore(worker, max_prefetch_);
  if (!its.Holds(worker)) return !more || now - worker.progress_at >= kPatience;
  return more && its.NumberOf(worker) == worker.load;
}

bool WorkerIndex::AheadIsInPlace(const Worker& worker, Nanos now) const {
  const auto lies = [&worker](const WorkerOrder& order, bool wanted, std::int64_t number) {
    return order.Holds(worker) == wanted && (!wanted || order.NumberOf(worker) == number);
  };
  const Nanos at = WorkToTakeAt(worker);
  const bool ripe = ripe_.Holds(worker);
  return lies(ripe_, ripe && at <= now, -worker.load) && lies(unripe_, at != kNever && !ripe, at) &&
         lies(holders_, HoldsAhead(worker), worker.lowest) && lies(waiting_, HoldsWaiting(worker), worker.progress_at);
}

}  // namespace poold::core
