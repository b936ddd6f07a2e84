// What workers are given, and what they do with it.
#include <algorithm>

#include "world.h"

namespace poold::core::sim {

using testing::FakeWork;
using testing::FakeWorker;

void World::NoteBegin(const FakeWorker& worker, const FakeWork& work, std::uint32_t place) {
  KnownHandle* handle = nullptr;
  KnownItem* item = ledger_.ItemOf(work.Item(place), &handle);
  if (item == nullptr) return;
  const std::string name(work.Item(place));
  if (item->running) ledger_.Wrong("two attempts of " + name + " overlap");
  if (item->final_state != TaskState::kUnspecified)
    ledger_.Wrong(name + " began after it had ended in state " + std::to_string(static_cast<int>(item->final_state)));
  item->running = true;
  item->page_less_since = worker.uses_page ? 0 : now_;
  if (++item->executions > handle->options.max_attempts) ledger_.Wrong(name + " ran more often than it may");
}

// REQUIRES: it runs something, which ends now.
void World::NoteEnd(const FakeWorker& worker, bool succeeded) {
  const FakeWork& work = worker.work.front();
  KnownHandle* handle = nullptr;
  KnownItem* item = ledger_.ItemOf(work.Item(work.finished), &handle);
  if (item == nullptr) return;
  item->running = false;
  ++item->tries;
  ++(succeeded ? item->succeeded : item->failed);
}

// Its last words were delivered. With a page, one item dies with it; without one, all that it has may have been begun.
void World::NoteDeath(const FakeWorker& worker) {
  const Pool& pool = *FindPool(worker.pool);
  if (pool.spec.death_policy == DeathPolicy::kStrict && pool.dispatches() && worker.ready && !worker.killed &&
      !(worker.stopping && !worker.running())) {
    breaking_ = worker.pool;
  }
  const bool over_limit = ledger_.workers.at(worker.id).over_limit;
  const bool at_fault = dying_of_ == LossCause::kItself && !worker.stopping && !worker.killed;
  if (!worker.ready && (at_fault || over_limit)) {
    ++ledger_.pools.at(worker.pool).start_failures;
    ++GenerationOf(worker.pool, worker.generation).failures_in_a_row;
  }
  if (!worker.running()) return;
  const FakeWork& work = worker.work.front();
  const std::uint32_t end = worker.uses_page ? work.finished + 1 : work.limit;
  for (std::uint32_t place = work.finished; place < end; ++place) {
    KnownHandle* handle = nullptr;
    KnownItem* item = ledger_.ItemOf(work.Item(place), &handle);
    if (item == nullptr) return;
    item->running = false;
    ++item->tries;
    item->died += end - work.finished == 1;
  }
}

// Its attempt has the right number, and its function is the one that was asked for.
void World::NoteAssignment(const FakeWorker& worker, const Assignment& one) {
  KnownWorker& known = ledger_.workers.at(worker.id);
  const Pool& pool = *FindPool(worker.pool);
  FakeWork work{one};
  std::uint64_t items = one.items.empty() ? 1 : 0;
  for (const ItemSlice& slice : one.items) items += slice.count;
  KnownHandle* handle = nullptr;
  for (std::uint32_t place = 0; place < items; ++place) {
    const KnownItem* item = ledger_.ItemOf(work.Item(place), &handle);
    if (item == nullptr) return;
    if (one.attempt != item->tries + 1) {
      ledger_.Wrong("attempt " + std::to_string(item->tries + 1) + " of " + std::string(work.Item(place)) +
                    " was sent as attempt " + std::to_string(one.attempt));
    }
    if (handle->ended) ledger_.Wrong(std::string(work.Item(place)) + " was sent after it had ended");
  }
  const Handle* const there = peer_.Find(handle->id);
  if (there != nullptr && !peer_.HasRoom(*there)) ledger_.Wrong("work was sent of a client without room for outcomes");
  if (one.attempt > handle->options.max_attempts) ledger_.Wrong("an attempt above max_attempts was sent");
  if (one.function >= known.functions.size() || known.functions[one.function] != handle->function) {
    ledger_.Wrong("a worker was asked for another function than the client's");
  }
  if (!worker.uses_page && items > 1 && one.attempt >= handle->options.max_attempts) {
    ledger_.Wrong("several items that may not be tried again were sent to a worker without a claim page");
  }
  const bool fresh = pool.fresh() || handle->options.fresh;
  if (fresh && known.given > 0) ledger_.Wrong("what wants a fresh worker was sent to a used one");
  if (pool.spec.max_tasks_per_worker != 0 && known.given >= pool.spec.max_tasks_per_worker) {
    ledger_.Wrong("a worker was given more than max_tasks_per_worker");
  }
  ++known.given;
  ++served_now_[{worker.pool, handle->options.priority, handle->options.fresh && !pool.fresh(), handle->client}];
}

void World::NoteDispatch(const FakeWorker& worker, const std::vector<Assignment>& work) {
  ++heard_;
  if (!worker.ready || worker.stopping || worker.killed) ledger_.Wrong("work was sent to a worker that takes none");
  if (worker.work.size() + work.size() > std::max<std::size_t>(1, limits_.max_prefetch)) {
    ledger_.Wrong("more was sent ahead than max_prefetch");
  }
  if (!worker.uses_page && worker.work.size() + work.size() > 1) ledger_.Wrong("sent ahead without a claim page");
  const Pool& pool = *FindPool(worker.pool);
  if (!pool.dispatches()) ledger_.Wrong("work was sent to a worker of a pool that has ended");
  const auto at = std::find_if(pool.workers.begin(), pool.workers.end(),
                               [&worker](const Worker* known) { return known->id == worker.id; });
  const bool was_idle = at != pool.workers.end() && (*at)->sent.size() == work.size();
  if (was_idle && pool.busy > pool.spec.workers) {  // more than that only after it was made smaller
    ledger_.Wrong("pool " + pool.spec.name + " runs more at a time than it has workers");
  }
  for (const Assignment& one : work) NoteAssignment(worker, one);
}

}  // namespace poold::core::sim
